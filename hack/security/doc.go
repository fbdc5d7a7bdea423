// Package security holds the attacks that a low-level runtime must stand, as
// tests that drive the runtime's binary and look at nothing but what a user or
// the kernel can see. There is nothing else in it.
//
// Its law: an attack has one oracle that doesn't depend on the runtime. Either
// the bundle is refused, and then nothing is left and one line on standard
// error says what is wrong; or it runs, and what lies outside the container is
// as it was: a canary directory, the mounts, the runtime's own file.
//
// RUNTIME=/usr/sbin/runc names another runtime to attack, and MINIRT_LONG=1
// asks for the long rounds of the races. The numbers SEC-… are those of the
// advisories in README.md.
package security
