package spec

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"

	own "github.com/minirt/minirt/internal/json"
)

// A filler sets every field of a value to something that no other field has.
type filler struct{ n int }

func (f *filler) fill(v reflect.Value) {
	f.n++
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("s\"%d\\é\u2028😀", f.n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(-f.n))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(f.n))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 3, 3))
		for i := range v.Len() {
			f.fill(v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 2 {
			e := reflect.New(v.Type().Elem()).Elem()
			f.fill(e)
			v.SetMapIndex(reflect.ValueOf(fmt.Sprintf("key.%d", f.n)), e)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f.fill(v.Field(i))
		}
	case reflect.Interface:
		v.Set(reflect.ValueOf(map[string]any{"a": []any{1.5, "x", nil, true, map[string]any{}}, "n": float64(f.n)}))
	default:
		panic("no filling for " + v.Type().String())
	}
}

// same decodes doc by the generated decoder and by encoding/json, and compares.
// Members that are required and missing are what this is not about.
func same[T any](t *testing.T, doc string, decode func(*own.Decoder, *T)) T {
	t.Helper()
	var got, want T
	for _, f := range own.Decode(doc, &got, decode) {
		if f.Kind != own.Absent {
			t.Errorf("%s: fault %s: %s", doc, f.Path(doc), f.Text)
		}
	}
	if err := json.Unmarshal([]byte(doc), &want); err != nil {
		t.Fatalf("encoding/json refuses %s: %v", doc, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: encoding/json -, ours +:\n%s", doc, diff)
	}
	return got
}

func agree[T any](t *testing.T, decode func(*own.Decoder, *T)) {
	var full T
	new(filler).fill(reflect.ValueOf(&full).Elem())
	doc, err := json.MarshalIndent(full, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	got := same(t, string(doc), decode)
	if diff := cmp.Diff(full, got); diff != "" {
		t.Errorf("what was written -, what was read +:\n%s", diff)
	}
}

func TestDecodersAgreeWithEncodingJSONOnAllFieldsTogether(t *testing.T) {
	agree(t, decodeSpec)
	agree(t, decodeProcess)
	agree(t, decodeLinuxResources)
	agree(t, decodeState)
}

// eachMember calls f with a document for each member at any depth of a type, that
// member being alone in it; with what it is called, and with its name replaced.
func eachMember(typ reflect.Type, wrap func(string) string, f func(wrap func(string) string, name string, value string)) {
	switch typ.Kind() {
	case reflect.Pointer:
		eachMember(typ.Elem(), wrap, f)
	case reflect.Slice:
		eachMember(typ.Elem(), func(s string) string { return wrap("[" + s + "]") }, f)
	case reflect.Map:
		eachMember(typ.Elem(), func(s string) string { return wrap(`{"k":` + s + "}") }, f)
	case reflect.Struct:
		for i := range typ.NumField() {
			field := typ.Field(i)
			if field.Anonymous {
				eachMember(field.Type, wrap, f)
				continue
			}
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			v := reflect.New(field.Type).Elem()
			(&filler{n: i}).fill(v)
			value, _ := json.Marshal(v.Interface())
			f(wrap, name, string(value))
			eachMember(field.Type, func(s string) string { return wrap(`{"` + name + `":` + s + "}") }, f)
		}
	}
}

func TestDecoderAgreesWithEncodingJSONOnEachFieldAlone(t *testing.T) {
	n := 0
	eachMember(reflect.TypeFor[specs.Spec](), func(s string) string { return s }, func(wrap func(string) string, name, value string) {
		n++
		doc := wrap(`{"` + name + `":` + value + "}")
		if got := same(t, doc, decodeSpec); reflect.ValueOf(got).IsZero() {
			t.Errorf("%s: nothing was read", doc)
		}
		same(t, wrap(`{"`+name+`":null}`), decodeSpec)
	})
	if n < 250 {
		t.Errorf("only %d members were tried", n)
	}
}

func TestNamesOfAnotherCaseAreUnknown(t *testing.T) {
	eachMember(reflect.TypeFor[specs.Spec](), func(s string) string { return s }, func(wrap func(string) string, name, value string) {
		for _, other := range []string{strings.ToUpper(name), strings.ToUpper(name[:1]) + name[1:], strings.ToLower(name)} {
			if other == name {
				continue
			}
			doc := wrap(`{"` + other + `":` + value + "}")
			var got, want specs.Spec
			own.Decode(doc, &got, decodeSpec)
			own.Decode(wrap(`{}`), &want, decodeSpec)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s was taken:\n%s", doc, diff)
			}
			if u := Unknown([]byte(doc)); len(u) != 1 || !strings.Contains(u[0].Text, "did you mean") {
				t.Errorf("%s: unknown are %v, want the one name", doc, u)
			}
		}
	})
}

func TestNullIsWhatEncodingJSONMakesOfIt(t *testing.T) {
	for _, doc := range []string{
		`null`, `{"mounts":[null,{"destination":null}]}`, `{"process":{"args":[null,"a"],"user":null}}`,
		`{"process":{"user":{"additionalGids":[null,1]}}}`, `{"linux":{"sysctl":{"a":null},"netDevices":{"b":null}}}`,
		`{"mounts":[],"annotations":{},"process":{"args":[]}}`, `{"windows":{"credentialSpec":null}}`,
		`{"vm":{"hwconfig":{"irqs":[null]}}}`,
	} {
		same(t, doc, decodeSpec)
	}
}
