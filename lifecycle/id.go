package lifecycle

// maxID is the length of the longest file name, in bytes (NAME_MAX).
const maxID = 255

// checkID refuses what could not be a directory's name for ever (SEC-59):
// an id is letters, digits, and any of _ + - . but not "." nor "..".
func checkID(id string) error {
	if id == "" {
		return text("container id cannot be empty")
	}
	if id == "." || id == ".." || len(id) > maxID {
		return invalidID(id)
	}
	for i := range len(id) {
		switch c := id[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '_', c == '+', c == '-', c == '.':
		default:
			return invalidID(id)
		}
	}
	return nil
}

func invalidID(id string) error {
	if len(id) > 60 {
		id = id[:60] + "..."
	}
	return text("invalid container ID format: " + quote(id) + ": up to 255 letters, digits and _ + - . are allowed")
}
