package canon

import (
	"bytes"
	"encoding/json"
	"math/bits"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

type word string

// sample has a field of every kind and tag that records have.
type sample struct {
	Text    string             `json:"text"`
	Word    word               `json:"word,omitzero"`
	Yes     bool               `json:"yes,omitempty"`
	Int     int                `json:"int,omitzero"`
	Small   int8               `json:"small"`
	Long    int64              `json:"long,omitempty"`
	Uint    uint64             `json:"uint,omitzero"`
	Byte    uint8              `json:"byte,omitempty"`
	Inner   inner              `json:"inner,omitzero"`
	Always  inner              `json:"always,omitempty"`
	Maybe   *inner             `json:"maybe,omitzero"`
	Null    *string            `json:"null"`
	Words   []word             `json:"words,omitempty"`
	Inners  []inner            `json:"inners"`
	Lists   *[]string          `json:"lists,omitempty"`
	Bytes   []byte             `json:"bytes,omitempty"`
	Raw     []byte             `json:"raw"`
	Map     map[string]string  `json:"map,omitempty"`
	Map2    map[string]string  `json:"map2"`
	Change  *map[string]string `json:"change,omitzero"`
	Skipped func()             `json:"-"`
}

type inner struct {
	A string   `json:"a,omitzero"`
	B *bool    `json:"b,omitempty"`
	C []inner2 `json:"c,omitempty"`
}

type inner2 struct {
	N uint32 `json:"n"`
}

// samples draws records with plain and odd strings, nil and empty lists.
func samples() *rapid.Generator[sample] {
	text := rapid.OneOf(rapid.SampledFrom([]string{"", "a", "a b", "é", "<&>", "\"\\", "\x00\n", "\xff\xfe", "\u2028", "0123456789012345678901234567890123456789012345678901234567890123456789"}), rapid.String())
	ins := rapid.Custom(func(t *rapid.T) inner {
		return inner{A: text.Draw(t, "a"), B: rapid.Ptr(rapid.Bool(), true).Draw(t, "b"),
			C: list(rapid.Custom(func(t *rapid.T) inner2 { return inner2{rapid.Uint32().Draw(t, "n")} })).Draw(t, "c")}
	})
	maps := rapid.OneOf(rapid.Just(map[string]string(nil)), rapid.MapOfN(text, text, 0, 3))
	return rapid.Custom(func(t *rapid.T) sample {
		return sample{
			Text: text.Draw(t, "text"), Word: word(text.Draw(t, "word")), Yes: rapid.Bool().Draw(t, "yes"),
			Int: rapid.Int().Draw(t, "int"), Small: rapid.Int8().Draw(t, "small"), Long: rapid.Int64().Draw(t, "long"),
			Uint: rapid.Uint64().Draw(t, "uint"), Byte: rapid.Uint8().Draw(t, "byte"),
			Inner: ins.Draw(t, "inner"), Always: ins.Draw(t, "always"), Maybe: rapid.Ptr(ins, true).Draw(t, "maybe"),
			Null: rapid.Ptr(text, true).Draw(t, "null"), Words: list(rapid.Map(text, func(s string) word { return word(s) })).Draw(t, "words"),
			Inners: list(ins).Draw(t, "inners"), Lists: rapid.Ptr(list(text), true).Draw(t, "lists"),
			Bytes: list(rapid.Byte()).Draw(t, "bytes"), Raw: list(rapid.Byte()).Draw(t, "raw"),
			Map: maps.Draw(t, "map"), Map2: maps.Draw(t, "map2"), Change: rapid.Ptr(maps, true).Draw(t, "change"),
		}
	})
}

func list[T any](of *rapid.Generator[T]) *rapid.Generator[[]T] {
	return rapid.OneOf(rapid.Just([]T(nil)), rapid.SliceOfN(of, 0, 4))
}

func TestTheFormIsThatOfTheStandardLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := samples().Draw(t, "sample")
		want, err := json.Marshal(&s)
		if err != nil {
			t.Fatal(err)
		}
		if got := Append(nil, &s); !bytes.Equal(got, want) {
			t.Fatalf("written as\n%s\nwant\n%s", got, want)
		}
		same(t, want)
	})
}

// same checks that Decode makes of a document what the standard library does.
func same(t interface {
	Helper()
	Fatalf(string, ...any)
}, b []byte) {
	t.Helper()
	var want sample
	wantErr := strict(b, &want)
	got := sample{Text: "left over", Map: map[string]string{"left": "over"}}
	gotErr := Decode(b, &got)
	if (gotErr == nil) != (wantErr == nil) {
		t.Fatalf("%s\nread with %v, want %v", b, gotErr, wantErr)
	}
	if wantErr == nil && !reflect.DeepEqual(got, want) {
		t.Fatalf("%s\nread as %+v\nwant %+v", b, got, want)
	}
}

// documents are those that a reader gets wrong most easily.
var documents = []string{
	`{}`, ``, `{`, `null`, `[]`, `{"text":"a"}`, `{"text":"a"} `, ` {"text":"a"}`, `{"text": "a"}`, `{"text":"a"}{}`, `{"text":"a"}x`,
	`{"text":"a",}`, `{,"text":"a"}`, `{"text":"a" "int":1}`, `{"x":1}`, `{"text":"a","x":1}`, `{"TEXT":"a"}`, `{"text":"a","text":"b"}`,
	`{"int":1,"text":"a"}`, `{"text":"\u0041"}`, `{"text":"é"}`, "{\"text\":\"\xff\"}", "{\"text\":\"\n\"}", `{"text":"<"}`, `{"text":null}`,
	`{"text":1}`, `{"int":"1"}`, `{"int":01}`, `{"int":-0}`, `{"int":-1}`, `{"int":--1}`, `{"int":1.0}`, `{"int":1e2}`, `{"small":127}`, `{"small":128}`,
	`{"small":-128}`, `{"small":-129}`, `{"long":9223372036854775807}`, `{"long":9223372036854775808}`, `{"long":-9223372036854775808}`,
	`{"uint":18446744073709551615}`, `{"uint":18446744073709551616}`, `{"uint":-1}`, `{"byte":256}`, `{"yes":true}`, `{"yes":truex}`, `{"yes":1}`,
	`{"bytes":"AA=="}`, `{"bytes":"AA="}`, `{"bytes":""}`, `{"bytes":"A A="}`, `{"bytes":[1]}`, `{"raw":null}`, `{"null":null}`, `{"null":"x"}`,
	`{"words":[]}`, `{"words":[""]}`, `{"words":["a",]}`, `{"words":["a","b"]}`, `{"inners":[{},{"a":"x"}]}`, `{"inners":[null]}`, `{"maybe":{}}`,
	`{"map":{}}`, `{"map":{"a":"b"}}`, `{"map":{"a":"b","a":"c"}}`, `{"map":{"a":1}}`, `{"map":{"a":"b",}}`, `{"change":null}`, `{"change":{}}`, `{"inner":{"a":"b"},"always":{}}`,
	`{"Skipped":null}`, `{"-":null}`, `{"words":"`, `{"words":["a"`, `{"text":"a`,
}

func TestDecodeIsStrict(t *testing.T) {
	for _, d := range documents {
		same(t, []byte(d))
	}
}

func FuzzDecode(f *testing.F) {
	for _, d := range documents {
		f.Add([]byte(d))
	}
	f.Fuzz(func(t *testing.T, b []byte) { same(t, b) })
}

func TestWhatAppendWroteIsReadInOnePass(t *testing.T) {
	yes, lists := true, []string{"x"}
	s := sample{Text: "t", Word: "w", Yes: true, Int: -5, Small: -128, Long: 1 << 60, Uint: 1 << 62, Byte: 255, Inner: inner{A: "a", B: &yes},
		Always: inner{C: []inner2{{1}}}, Maybe: &inner{}, Null: new(string), Words: []word{"a", "b"}, Inners: []inner{{}, {A: "x"}}, Lists: &lists,
		Bytes: []byte("bytes"), Raw: []byte{}, Map: map[string]string{"k": "v", "j": ""}, Map2: map[string]string{}, Change: &map[string]string{"a": "b"}}
	b := Append(nil, &s)
	var got sample
	r := &reader{rest: b}
	v := reflect.ValueOf(&got).Elem()
	if !planFor(v.Type()).read(r, v) || len(r.rest) != 0 || !reflect.DeepEqual(got, s) {
		t.Errorf("%s\nread as %+v; %q is left", b, got, r.rest)
	}
}

func TestDecodeKeepsNothingOfItsInput(t *testing.T) {
	b := []byte(`{"text":"some text","words":["one"],"bytes":"AAAA"}`)
	var s sample
	if err := Decode(b, &s); err != nil {
		t.Fatal(err)
	}
	clear(b)
	if s.Text != "some text" || s.Words[0] != "one" || !bytes.Equal(s.Bytes, make([]byte, 3)) {
		t.Errorf("changed to %+v", s)
	}
}

func TestWhatIsNoRecordIsRefusedAtOnce(t *testing.T) {
	for name, v := range map[string]any{
		"a float": &struct {
			F float64 `json:"f"`
		}{},
		"an interface": &struct {
			I any `json:"i"`
		}{},
		"a field without a tag": &struct{ A string }{},
		"a map of numbers": &struct {
			M map[string]int `json:"m"`
		}{},
		"an option": &struct {
			A int `json:"a,string"`
		}{},
		"a type with its own form": &struct {
			R json.RawMessage `json:"r"`
		}{},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s was taken", name)
				}
			}()
			Append(nil, v)
		}()
	}
}

// TestHashesTellRecordsApart: equal encodings have equal hashes, and others
// have others.
func TestHashesTellRecordsApart(t *testing.T) {
	seen := map[[2]uint64][]byte{}
	rapid.Check(t, func(t *rapid.T) {
		s := samples().Draw(t, "sample")
		b := Append(nil, &s)
		hi, lo := Hash("samples", &s)
		if other, ok := seen[[2]uint64{hi, lo}]; ok && !bytes.Equal(other, b) {
			t.Fatalf("one hash for\n%s\nand\n%s", b, other)
		}
		seen[[2]uint64{hi, lo}] = b
		var again sample
		if err := strict(b, &again); err != nil {
			t.Fatal(err)
		}
		// What the encoding cannot tell apart, the hash need not.
		if bytes.Equal(Append(nil, &again), b) && reflect.DeepEqual(again, s) {
			if h, l := Hash("samples", &again); h != hi || l != lo {
				t.Fatalf("two hashes for\n%s", b)
			}
		}
		if h, l := Hash("others", &s); h == hi || l == lo {
			t.Fatalf("the name makes no difference for\n%s", b)
		}
	})
}

// TestEveryBitCounts: one changed bit anywhere changes about half of the hash.
func TestEveryBitCounts(t *testing.T) {
	type record struct {
		S string `json:"s,omitzero"`
		N uint64 `json:"n,omitzero"`
		T string `json:"t,omitzero"`
	}
	base := record{"0123456789abcdef!", 1 << 40, "x"}
	hi, lo := Hash("r", &base)
	changed := []record{{"0123456789abcdef!", 1 << 40, "y"}, {"0123456789abcde!f", 1 << 40, "x"}, {"0123456789abcdef", 1 << 40, "!x"}, {"", 1 << 40, "x"}}
	for i := range 64 {
		changed = append(changed, record{base.S, base.N ^ 1<<i, base.T})
		b := []byte(base.S)
		b[i%len(b)] ^= 1 << (i / len(b))
		changed = append(changed, record{string(b), base.N, base.T})
	}
	for _, r := range changed {
		h, l := Hash("r", &r)
		if n := bits.OnesCount64(h ^ hi); n < 12 || n > 52 {
			t.Errorf("%+v changes %d bits of the upper half", r, n)
		}
		if n := bits.OnesCount64(l ^ lo); n < 12 || n > 52 {
			t.Errorf("%+v changes %d bits of the lower half", r, n)
		}
	}
}

// TestHashIsTheSameForEver: a node of another version has it too.
func TestHashIsTheSameForEver(t *testing.T) {
	type old struct {
		A string `json:"a,omitzero"`
		N int    `json:"n,omitzero"`
	}
	type grown struct {
		A   string            `json:"a,omitzero"`
		New *inner            `json:"new,omitzero"`
		N   int               `json:"n,omitzero"`
		M   map[string]string `json:"m,omitempty"`
	}
	hi, lo := Hash("t", &old{"value", -3})
	if h, l := Hash("t", &grown{A: "value", N: -3}); h != hi || l != lo {
		t.Error("a new field that is zero changes the hash")
	}
	const wantHi, wantLo = 0xb5c29b6dda72eb26, 0xa354215fb38ede2a
	if hi != wantHi || lo != wantLo {
		t.Errorf("the hash is %#x, %#x, where older programs have %#x, %#x", hi, lo, uint64(wantHi), uint64(wantLo))
	}
}
