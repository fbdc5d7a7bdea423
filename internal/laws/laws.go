// Package laws holds what the tree has promised about itself: which package
// may import which, which may call what, and that every advisory has its code
// and its test. Its tests read the source; there is nothing else in it.
//
// A law that stands in a way is to be changed here, in the table, with its
// reason: that is what a reviewer looks at.
package laws
