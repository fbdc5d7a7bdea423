package lifecycle

// State gives a container's state (runtime.md, Query State). It changes
// nothing and waits for nobody.
func (r *Runtime) State(id string) (s *State, err error) {
	defer wrap("state", id, &err)
	c, err := r.load(id)
	if err != nil {
		return nil, err
	}
	defer c.close()
	return c.state(c.status()), nil
}
