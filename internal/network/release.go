package network

import (
	"slices"

	"github.com/google/nftables"
)

// release takes back what a container has, and, with the last lease, all that is
// ours: the lease itself last, so that it can be done again.
func (h *host) release(s *store, bridge, id string) error {
	var one lease
	if found := s.find(id); found != nil {
		one = *found
		defer flows(one.Ports).forget()
		if err := h.remove(one.Device); err != nil {
			return err
		}
	}
	before := len(s.list)
	s.list = slices.DeleteFunc(s.list, func(l lease) bool { return l.ID == id || !h.has(l.Device) })
	var err error
	switch gone := before - len(s.list); {
	case len(s.list) == 0:
		if err = h.clear(bridge, s); err == nil {
			err = s.leave()
		}
		return err
	case gone == 0:
		return nil
	case gone == 1 && one.ID != "":
		err = reviseTable(bridge, &s.leases, &one, (*nftables.Conn).SetDeleteElements)
	default: // others have gone without a word
		err = applyTable(bridge, &s.leases)
	}
	if err == nil {
		err = s.write()
	}
	return err
}
