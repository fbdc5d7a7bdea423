// Package conformance holds a runtime's program against the texts of the OCI
// runtime-spec 1.3.0: as a user would, from outside, by bundles and verbs.
//
// Its laws:
//   - The runtime is the program that RUNTIME names, with runc's command line;
//     without it, minirt, built here. A test asks nothing of minirt that the
//     texts don't ask of every runtime, but where it says so: the words of
//     errors, and what the texts leave open, are minirt's alone ("ours").
//   - A test's name is a sentence about what a runtime does; before it stand
//     the rows of the checklist that it shows (LC-01 and so on: README.md).
//   - What a runtime must refuse is refused closed: exit status not 0, nothing
//     on standard output, no id, process, cgroup, mount or file left, and the
//     same id can be created again.
//   - A container is looked at from inside by ./probe, from outside by /proc.
package conformance
