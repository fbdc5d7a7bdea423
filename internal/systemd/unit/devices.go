package unit

import (
	"strings"

	"github.com/minirt/minirt/internal/cgroup"
)

// devices1 are version 1's device rules. There systemd writes rules of its own
// to every unit, "allow all" where it knows of none, and does so again when it
// is reloaded: so it must know them. (On version 2 it attaches a program only
// where it has rules, and then both programs count; ours is left alone.)
//
// Rules that deny single devices and allow the rest can't be told to systemd.
func devices1(writes []cgroup.Write) []Property {
	var allowed []Device
	denied := false
	for i := range writes {
		w := &writes[i]
		switch {
		case w.File == "devices.deny" && w.Value == "a":
			denied = true
		case w.File == "devices.allow" && w.Value != "a":
			if d, ok := device(w.Value); ok {
				allowed = append(allowed, d)
			}
		}
	}
	if !denied {
		return nil
	}
	return []Property{{Name: "DevicePolicy", Value: "strict"}, {Name: "DeviceAllow", Value: allowed}}
}

// device turns "c 1:3 rwm" into systemd's words: a name below /dev/char or
// /dev/block, which need not exist, or a class. There are none for one minor
// number of all majors.
func device(rule string) (d Device, ok bool) {
	kind := "char"
	if rule[0] == 'b' {
		kind = "block"
	}
	numbers, access, _ := strings.Cut(rule[2:], " ")
	switch major, minor, _ := strings.Cut(numbers, ":"); {
	case minor == "*":
		return Device{kind + "-" + major, access}, true // "char-*", "char-136"
	case major == "*":
		return d, false
	}
	return Device{"/dev/" + kind + "/" + numbers, access}, true
}
