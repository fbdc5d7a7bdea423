package hot

import (
	"reflect"
	"strconv"
	"strings"
)

// A UsageError is a mistake in the command line, or a word about it.
type UsageError string

func (e UsageError) Error() string { return string(e) }

// Alone is what a flag with the tag optional, which may have a value behind "=",
// is set to where it has none.
const Alone = "-"

// Set gives a flag's or an argument's field the value that word stands for; a
// list gets it as one more element. enum are the words that are allowed, with
// commas between them; all if it is empty.
func Set(target reflect.Value, enum, word string) error {
	switch target.Kind() {
	case reflect.Bool:
		switch word {
		case "true", "1":
			target.SetBool(true)
		case "false", "0":
			target.SetBool(false)
		default:
			return UsageError(strconv.Quote(word) + " is neither true nor false")
		}
	case reflect.Int:
		n, err := strconv.ParseUint(word, 10, 31)
		if err != nil {
			return UsageError(strconv.Quote(word) + " is not a whole number")
		}
		target.SetInt(int64(n))
	case reflect.Slice:
		target.Set(reflect.Append(target, reflect.ValueOf(word)))
	default:
		if enum != "" && !oneOf(word, enum) {
			return UsageError(strconv.Quote(word) + " is none of " + strings.ReplaceAll(enum, ",", ", "))
		}
		target.SetString(word)
	}
	return nil
}

// oneOf tells whether s is among the words of an enum tag.
func oneOf(s, enum string) bool {
	for word := range strings.SplitSeq(enum, ",") {
		if s == word {
			return true
		}
	}
	return false
}
