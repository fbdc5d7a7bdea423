// Package seccomp compiles linux.seccomp to the classic BPF program that
// seccomp(2) takes. It is pure: it makes no system call and reads no file.
//
// # What a filter decides
//
// For each system call, in this order:
//
//   - A call made through an ABI that is neither the machine's own nor listed in
//     architectures kills the thread, as libseccomp has it. On x86-64 that is
//     also a call with an x32 number where SCMP_ARCH_X32 isn't listed. An ABI that
//     the machine can't run may be listed, and gets its part of the filter.
//   - An entry of syscalls whose action and errno are those of defaultAction adds
//     nothing, as in runc and crun.
//   - The first entry without args that names the call decides it, wherever it
//     stands: entries with args for the same call have no effect then, as in
//     libseccomp.
//   - Else the first entry, in the order of config.json, all of whose args hold
//     decides it (SEC-53). (libseccomp's order is its own there, and it refuses
//     two actions for equal args.) An entry that has several args with the same index
//     holds if any one of its args does: so it is in runc, where it dates from the
//     time when libseccomp couldn't do better, and profiles are written for that.
//   - Else defaultAction decides it.
//
// A name that a table doesn't have is left out for that ABI; one that no table has
// gets a warning. The tables are the kernel's own (hack/syscalls), of the version
// that the constant Kernel names.
//
// # Calls newer than the profile
//
// Where defaultAction is SCMP_ACT_ERRNO with EPERM, a call whose number is
// greater than that of each call that the profile names for this ABI is
// answered ENOSYS, as in runc: its author couldn't know it, and the C library
// falls back to an older call on ENOSYS only. runc does the same where the
// default action is to kill or to trap; here such a default is taken at its word.
//
// # Calls behind another call
//
// On i386, MIPS O32, PowerPC and s390x the socket and System V IPC calls can
// also be made by socketcall(2) and ipc(2). What a profile says of these calls
// holds there, too, as if it named the other call; entries for socketcall or ipc themselves follow the rules
// above. The arguments that such a call has in memory can't be seen: of an entry
// with args, ALLOW and LOG then don't count, and any other action needs no args.
//
// # Arguments
//
// All 64 bits of an argument are compared, unsigned, in ABIs of 32 bits, too. SCMP_CMP_MASKED_EQ holds if
// argument & value == valueTwo & value, as seccomp_rule_add(3) has it. The kernel
// may look at fewer bits than the filter: for an int argument, a profile that
// refuses should mask.
//
// # Flags
//
// Without flags, and only then ("flags": [] is not without), the filter has
// SECCOMP_FILTER_FLAG_SPEC_ALLOW, as in runc and crun. WAIT_KILLABLE_RECV is left
// out where no action is NOTIFY, since the kernel refuses it without a listener.
//
// # Notify
//
// SCMP_ACT_NOTIFY is compiled for any call, and as defaultAction. From the
// moment the filter is loaded, such a call waits for the listener: who loads it
// must hand the listener over in a way that the filter doesn't stop, and if
// execve itself is among these calls, the container's start waits for the agent.
//
// # What can't be started
//
// A filter that refuses execve whatever its arguments, or, where an agent is to
// get a listener, read, write or close, is an error of Compile's: nothing could
// be started under it.
//
// # The program
//
// Each ABI has a search tree over the line of all call numbers, whose stretches
// of one verdict are single leaves, those with common calls nearest to the root.
// seccomp(2) runs the program once for each call, to remember those that are
// always allowed: a tree returns after some eight comparisons, where a list of
// some hundred calls would have cost more time than the rest of the container's
// start.
//
// Explain tells of a filter what it does with a call, and why.
package seccomp
