package infer

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/contract"
	"headgate/internal/profile"
)

var update = flag.Bool("update", false, "write what the code does now into the golden files")

// A rowMaker makes the values of row i.
type rowMaker func(i int) string

// draftOf makes a draft and a profile of n rows.
func draftOf(t *testing.T, schema *arrow.Schema, n int, row rowMaker) (*Draft, *profile.Profile) {
	t.Helper()
	var lines []string
	for i := range n {
		lines = append(lines, row(i))
	}
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader("["+strings.Join(lines, ",")+"]"), array.WithUseNumber())
	if err != nil {
		t.Fatal(err)
	}
	b := profile.NewBuilder(nil)
	if err := b.Add(rec); err != nil {
		t.Fatal(err)
	}
	nulls := map[string]int64{}
	for i, f := range schema.Fields() {
		nulls[f.Name] = int64(rec.Column(i).NullN())
	}
	return New("shop", schema, int64(n), nulls), b.Profile()
}

func field(name string, t arrow.DataType) arrow.Field {
	return arrow.Field{Name: name, Type: t, Nullable: true}
}

var customers = arrow.NewSchema([]arrow.Field{
	field("customer_id", arrow.BinaryTypes.String), field("as_of", arrow.FixedWidthTypes.Date32),
	field("age", arrow.PrimitiveTypes.Int16), field("income", arrow.PrimitiveTypes.Float64), field("ratio", arrow.PrimitiveTypes.Float32),
	field("segment", arrow.BinaryTypes.String), field("e_mail", arrow.BinaryTypes.String), field("konto", arrow.BinaryTypes.String),
	field("contact", arrow.BinaryTypes.String), field("client", arrow.BinaryTypes.String), field("dateOfBirth", arrow.FixedWidthTypes.Date32),
	field("signup", arrow.FixedWidthTypes.Timestamp_us), field("is_mobile", arrow.PrimitiveTypes.Uint8), field("größe", &arrow.Decimal128Type{Precision: 9, Scale: 2}),
	field("visits", arrow.PrimitiveTypes.Int64), field("raw", arrow.BinaryTypes.Binary), field("empty", arrow.Null), field("yes", arrow.FixedWidthTypes.Boolean),
}, nil)

func customer(i int) string {
	income, ratio := fmt.Sprint(12034+i*700), fmt.Sprint(float64(i)/200)
	if i%50 == 0 {
		income, ratio = "null", `"NaN"`
	}
	ibans := []string{"DE89370400440532013000", "GB82WEST12345698765432", "FR1420041010050500013M02606"}
	return fmt.Sprintf(`{"customer_id": "C%03d", "as_of": "2024-0%d-01", "age": %d, "income": %s, "ratio": %s, "segment": "%s", "e_mail": "c%d@example.org",
		"konto": "%s", "contact": "+49 30 12345%02d", "client": "10.0.0.%d", "dateOfBirth": "19%02d-05-17", "signup": "20%02d-03-01T12:00:00", "is_mobile": %d,
		"größe": "1.%02d", "visits": 9007199254740993, "raw": "AA==", "empty": null, "yes": true}`,
		i/2, 1+i%2, 18+i%70, income, ratio, []string{"new", "no", "it's"}[i%3], i, ibans[i%3], i%100, i, 20+i%80, 15+i%9, i%2, i%100)
}

// What infer writes of a table with all that it guesses.
func TestGolden(t *testing.T) {
	d, p := draftOf(t, customers, 200, customer)
	d.Nested = []string{"basket"}
	d.Intro = "Two lines,\n\nand one between."
	d.Key = []string{"customer_id", "as_of"}
	d.Guess(p)
	got := d.YAML()
	if _, err := contract.Parse("got", got); err != nil {
		t.Error(err)
	}
	const path = "testdata/customers.yaml"
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	again, p := draftOf(t, customers, 200, customer)
	again.Nested, again.Intro, again.Key = d.Nested, d.Intro, d.Key
	again.Guess(p)
	if !bytes.Equal(again.YAML(), got) {
		t.Error("the same data gives another contract")
	}
}

func TestCandidates(t *testing.T) {
	d, p := draftOf(t, customers, 200, customer)
	want := "[[[customer_id as_of] [customer_id signup] [customer_id segment] [customer_id as_of signup] [customer_id as_of segment] [customer_id signup segment]] " +
		"[[e_mail] [client]]]"
	if got := fmt.Sprint(d.Candidates(p)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	schema := arrow.NewSchema([]arrow.Field{field("batch", arrow.BinaryTypes.String), field("code", arrow.BinaryTypes.String), field("id", arrow.PrimitiveTypes.Int64), field("x", arrow.PrimitiveTypes.Float64)}, nil)
	d, p = draftOf(t, schema, 100, func(i int) string {
		return fmt.Sprintf(`{"batch": "%d", "code": "c%d", "id": %d, "x": %d}`, i, i, i, i)
	})
	if got := fmt.Sprint(d.Candidates(p)[0]); got != "[[id]]" {
		t.Errorf("got %s, want id: batch is taken, and x is no key", got)
	}
}

func TestDrop(t *testing.T) {
	d, p := draftOf(t, customers, 200, customer)
	d.Guess(p)
	c, err := contract.Parse("draft", d.YAML())
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"age.maximum", "e_mail.format", "segment.invalidValues"} {
		r, ok := c.Rule(id)
		if !ok || !d.Drop(r, 7) {
			t.Errorf("%s is no guess (%v)", id, ok)
		}
	}
	if r, _ := c.Rule("age.required"); d.Drop(r, 7) {
		t.Error("required was seen, and not guessed")
	}
	if r, _ := c.Rule("rows"); d.Drop(r, 7) {
		t.Error("a rule of the table was dropped")
	}
	text := string(d.YAML())
	for _, want := range []string{"# not maximum: 90: 7 of 200 rows break it", "logicalTypeOptions: { format: i16, minimum: 10 }"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestOutwards(t *testing.T) {
	for _, tt := range []struct {
		low, high float64
		from, to  string
	}{
		{18, 87, "10", "90"},
		{0, 0, "0", "0"},
		{5, 5, "5", "5"},
		{-0.3, 0.41, "-0.3", "0.5"},
		{0.001, 0.002, "0.001", "0.002"},
		{0.00012, 0.9, "0", "0.9"},
		{1999.5, 120000, "0", "200000"},
		{-7, 1e15, "-1000000000000000", "1000000000000000"},
		{100000, 100003, "100000", "100003"},
		{1e-30, 2.5e-30, "0." + strings.Repeat("0", 29) + "1", "0." + strings.Repeat("0", 29) + "3"},
	} {
		if from, to := outwards(tt.low, tt.high); from != tt.from || to != tt.to {
			t.Errorf("%g to %g: got %s and %s, want %s and %s", tt.low, tt.high, from, to, tt.from, tt.to)
		}
	}
}

func TestLeastAndNullPercent(t *testing.T) {
	for rows, want := range map[int64]int64{1: 0, 2: 1, 19: 9, 21: 10, 399: 100, 400: 200, 1_234_567: 600_000} {
		if got := least(rows); got != want {
			t.Errorf("%d rows: got %d, want %d", rows, got, want)
		}
	}
	for nulls, want := range map[int64]int{1: 1, 5: 1, 6: 2, 50: 10, 250: 50, 251: 0} {
		if got := nullPercent(nulls, 1000); got != want {
			t.Errorf("%d of 1000: got %d, want %d", nulls, got, want)
		}
	}
}

func TestKindsOfNames(t *testing.T) {
	for name, want := range map[string]string{
		"email": "email", "E-Mail": "email", "email_address": "email", "mailbox": "",
		"phoneNumber": "phone", "MOBILE": "phone", "telegram": "",
		"name": "name", "firstName": "name", "customer_name": "name", "product_name": "", "filename": "", "last_name": "name",
		"date_of_birth": "birthDate", "dob": "birthDate", "signup_date": "",
		"ip_address": "ipAddress", "clientIp": "ipAddress", "ship": "", "zip": "address", "street_address": "address",
		"IBAN": "account", "account": "", "card_number": "account", "device_id": "deviceId", "mac-address": "deviceId",
		"latitude": "location", "national_id": "nationalId", "": "",
	} {
		if got := kindOfName(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

func TestShapes(t *testing.T) {
	for _, tt := range []struct {
		what    string
		is      func(string) bool
		yes, no []string
	}{
		{"IBAN", isIBAN, []string{"DE89370400440532013000", "GB82 WEST 1234 5698 7654 32"}, []string{"DE89370400440532013001", "DE8937040044", "de89370400440532013000", ""}},
		{"phone", isPhone, []string{"+49 30 1234567", "(030) 123-4567", "0049 301234567"}, []string{"0301234567", "12-34", "+", "2024-01-31"}},
		{"email", isEmail, []string{"a@b.org"}, []string{"a@b", "a b@c.org", "@b.org"}},
		{"IP", isIP, []string{"10.0.0.1", "2001:db8::1"}, []string{"1.2.3", "10.0.0.256"}},
		{"IPv4", looksLike("ipv4"), []string{"10.0.0.1"}, []string{"2001:db8::1"}},
		{"IPv6", looksLike("ipv6"), []string{"2001:db8::1"}, []string{"10.0.0.1"}},
		{"UUID", looksLike("uuid"), []string{"123e4567-e89b-12d3-a456-426614174000"}, []string{"123e4567e89b12d3a456426614174000"}},
		{"URI", looksLike("uri"), []string{"https://example.org/a"}, []string{"example.org", "https:// x", "color:red", "https://example.org/<a>"}},
		{"address by the standard", looksLike("email"), []string{"a@b.org"}, []string{"a@b", "a..b@c.org", "a@b_c.org"}},
	} {
		for _, s := range tt.yes {
			if !tt.is(s) {
				t.Errorf("%q is no %s", s, tt.what)
			}
		}
		for _, s := range tt.no {
			if tt.is(s) {
				t.Errorf("%q is taken for %s", s, tt.what)
			}
		}
	}
}

func TestQuoted(t *testing.T) {
	for text, want := range map[string]string{
		"a_b": "a_b", "my-shop": "my-shop", "yes": "'yes'", "Null": "'Null'", "1": "'1'", "": "''", "it's": "'it''s'",
		"a: b": "'a: b'", "größe": `"gr\u00f6\u00dfe"`, "a\nb": `"a\nb"`, "-": "'-'",
	} {
		if got := quoted(text); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}
