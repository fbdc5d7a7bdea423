package lifecycle

func (c *creation) makeTrees() error { return nil }
