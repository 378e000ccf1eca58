package convert

func jmeter(d *draft, source []byte) error { return nil }
