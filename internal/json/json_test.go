package json

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// decodeAny is what a generated decoder would be for any.
func decodeAny(d *Decoder, v *any) { *v = d.Any() }

func TestAnyIsWhatEncodingJSONReads(t *testing.T) {
	for _, doc := range []string{
		`{}`, `[]`, ` [ ] `, `""`, `0`, `-0`, `-0.0e-0`, `1E+5`, `123456789012345678901234567890`, `true`, `false`, `null`, "\t\r\n 1 \n",
		`{"a":{"b":[1,[2,{"c":null}],"x"]},"d":""}`, `"\"\\\/\b\f\n\r\té\u00e9\ud83d\ude00 \u0000"`, `{"\u0061\n":1}`, `"` + "\u2028\x7f" + `"`,
	} {
		var got, want any
		if faults := Decode(doc, &got, decodeAny); len(faults) > 0 && faults[0].Kind != NUL {
			t.Errorf("%s: %v", doc, faults)
		}
		if err := json.Unmarshal([]byte(doc), &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: encoding/json -, ours +:\n%s", doc, diff)
		}
	}
}

func TestWhatIsNoJSONIsRefusedByReadingAndBySkipping(t *testing.T) {
	for _, doc := range []string{
		``, ` `, `{`, `}`, `[`, `]`, `,`, `:`, `{]`, `[}`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `{"a":1 "b":2}`, `{"a":1,,"b":2}`, `{1:2}`, `{a:1}`,
		`[1,]`, `[,]`, `[1 2]`, `[1,,2]`, `01`, `-`, `-a`, `1.`, `.5`, `1.e5`, `1e`, `1e+`, `+1`, `0x1`, `1_0`, `NaN`, `Infinity`, `nul`, `nulll`, `tru`, `falsey`, `True`,
		`"`, `"a`, `"\`, `"\x"`, `"\u"`, `"\u12"`, `"\u123g"`, `"\ud800"`, `"\ud800x"`, `"\ud800\n"`, `"\ud800\ud800"`, `"\udc00"`, "\"\n\"", "\"\x00\"", "\"\x1f\"",
		"\"\xff\"", "\"\xc3\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", `'a'`, `1 1`, `{}{}`, `[1]]`, "\ufeff1", "1\x00", `/**/1`, `{"a":1,"a":1}`, `[{"a":1,"\u0061":1}]`,
		strings.Repeat("[", MaxDepth+1) + strings.Repeat("]", MaxDepth+1),
	} {
		var v any
		if faults := Decode(doc, &v, decodeAny); len(faults) == 0 {
			t.Errorf("%q was read as %v", doc, v)
		}
		if faults := Decode(doc, &v, func(d *Decoder, _ *any) { d.Skip() }); len(faults) == 0 {
			t.Errorf("%q was skipped", doc)
		}
	}
}

func TestNestingUpToTheLimitIsRead(t *testing.T) {
	doc := strings.Repeat(`[`, MaxDepth/2) + strings.Repeat(`{"a":`, MaxDepth/2) + "1" + strings.Repeat("}", MaxDepth/2) + strings.Repeat("]", MaxDepth/2)
	var v any
	if faults := Decode(doc, &v, decodeAny); len(faults) > 0 {
		t.Error(faults)
	}
}

// Names are compared one by one at first, and by a map when there are many.
func TestANameGivenTwiceIsFoundAmongMany(t *testing.T) {
	for _, n := range []int{1, 31, 32, 33, 34, 100} {
		var b strings.Builder
		for i := range n {
			b.WriteString(`"` + strings.Repeat("x", i) + `":1,`)
		}
		for twice := range n {
			doc := "{" + b.String() + `"` + strings.Repeat("x", twice) + `":1}`
			faults := Decode(doc, new(any), func(d *Decoder, _ *any) { d.Skip() })
			if len(faults) != 1 || faults[0].Kind != Duplicate || faults[0].Offset != len(b.String())+1 {
				t.Fatalf("%d names, number %d twice: %v", n, twice, faults)
			}
		}
		doc := "{" + b.String() + `"last":1}`
		if faults := Decode(doc, new(any), func(d *Decoder, _ *any) { d.Skip() }); len(faults) != 0 {
			t.Fatalf("%d names: %v", n, faults)
		}
	}
}

func TestIntegersAreExact(t *testing.T) {
	for _, c := range []struct {
		doc  string
		bits int
		i, u bool // fits with a sign, without
	}{
		{"0", 8, true, true}, {"-0", 8, true, false}, {"127", 8, true, true}, {"128", 8, false, true}, {"-128", 8, true, false}, {"-129", 8, false, false},
		{"255", 8, false, true}, {"256", 8, false, false}, {"9223372036854775807", 64, true, true}, {"9223372036854775808", 64, false, true},
		{"-9223372036854775808", 64, true, false}, {"-9223372036854775809", 64, false, false}, {"18446744073709551615", 64, false, true},
		{"18446744073709551616", 64, false, false}, {"1.0", 32, false, false}, {"1e2", 32, false, false}, {"1E2", 32, false, false}, {`"1"`, 32, false, false},
	} {
		if faults := Decode(c.doc, new(int64), func(d *Decoder, v *int64) { *v = d.Int(c.bits) }); (len(faults) == 0) != c.i {
			t.Errorf("%s as an integer of %d bits: %v", c.doc, c.bits, faults)
		}
		if faults := Decode(c.doc, new(uint64), func(d *Decoder, v *uint64) { *v = d.Uint(c.bits) }); (len(faults) == 0) != c.u {
			t.Errorf("%s as an unsigned integer of %d bits: %v", c.doc, c.bits, faults)
		}
	}
}

func TestStringsAreWrittenAsTheyWillBeRead(t *testing.T) {
	for s, want := range map[string]string{
		"": `""`, "a": `"a"`, `"\/`: `"\"\\/"`, "\x00\x1f\x7f\n\r\t\b": `"\u0000\u001f\u007f\n\r\t\u0008"`,
		"é\u2028😀<&>": "\"é\u2028😀<&>\"", "a\xffb\xc3": "\"a\ufffdb\ufffd\"", "\xed\xa0\x80": "\"\ufffd\ufffd\ufffd\"",
	} {
		doc := string(AppendString([]byte("x"), s))[1:]
		if doc != want {
			t.Errorf("%q is written as %s, want %s", s, doc, want)
		}
		var got string
		if faults := Decode(doc, &got, func(d *Decoder, v *string) { *v = d.String() }); len(faults) > 0 && faults[0].Kind != NUL {
			t.Errorf("%q is written as %s: %v", s, doc, faults)
		}
		var std string
		if err := json.Unmarshal([]byte(doc), &std); err != nil || std != got || !utf8.ValidString(doc) {
			t.Errorf("%q: encoding/json reads %s as %q, we as %q (%v)", s, doc, std, got, err)
		}
	}
}

// For each value of a document, the path at its place leads back to that place.
func TestPathsAndPlacesAreEachOthersInverse(t *testing.T) {
	const doc = `{"a": {"b c": [1, {"d": "x"}, [], {}, [[2, null]]], "": true}, "é": {"f-1_": -1.5}, "0": [0]}`
	n := 0
	for w := (walk{d: Decoder{doc: doc}}); w.next(); n++ {
		path := PathAt(doc, w.pos)
		if offset, ok := Find(doc, path); !ok || offset != w.pos {
			t.Errorf("path at %d is %s, which is found at %d (%v)", w.pos, path, offset, ok)
		}
		if w.key != w.pos && PathAt(doc, w.key) != path {
			t.Errorf("the name at %d has the path %s, its value %s", w.key, PathAt(doc, w.key), path)
		}
	}
	if n != 17 {
		t.Errorf("%d values were seen", n)
	}
}

func TestPathsOfBrokenDocumentsDoNotPanic(t *testing.T) {
	const doc = `{"a": {"b c": [1, {"d": "x"}, [], {}, [[2, null]]], "": true}, "é": -1.5}`
	for cut := range len(doc) + 1 {
		for offset := range cut + 3 {
			PathAt(doc[:cut], offset)
		}
		Find(doc[:cut], `a["b c"][4][0][1]`)
	}
}

// What is accepted, encoding/json accepts to the same value; what is refused,
// it refuses too, or it is one of the things that we are stricter in.
func FuzzDecode(f *testing.F) {
	for _, doc := range []string{`{"a":[1,-2.5e3,"\ud83d\ude00",null,true],"b":{}}`, `{"a":1,"a":2}`, "\"\xff\"", `[[[]]]`, `"\ud800"`} {
		f.Add(doc)
	}
	f.Fuzz(func(t *testing.T, doc string) {
		var got, want any
		faults := Decode(doc, &got, decodeAny)
		err := json.Unmarshal([]byte(doc), &want)
		for _, one := range faults {
			one.Path(doc)
			stricter := one.Kind == NUL || one.Kind == Duplicate || strings.Contains(one.Text, "UTF-8") ||
				strings.Contains(one.Text, "surrogate") || strings.Contains(one.Text, "nested")
			if err == nil && !stricter {
				t.Errorf("refused: %+v", one)
			}
			if one.Kind != NUL {
				got = want // not whole
			}
		}
		if err != nil && len(faults) == 0 {
			t.Fatalf("encoding/json refuses: %v", err)
		}
		if diff := cmp.Diff(want, got); diff != "" && err == nil {
			t.Errorf("encoding/json -, ours +:\n%s", diff)
		}
	})
}
