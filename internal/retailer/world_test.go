package retailer_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/retailer"
)

// table is a month's values as text, column by column.
type table struct {
	names   []string
	columns [][]string
}

// column returns the values of a column.
func (t table) column(name string) []string { return t.columns[slices.Index(t.names, name)] }

// rows returns the number of rows.
func (t table) rows() int { return len(t.columns[0]) }

// read returns the records as a table.
func read(t testing.TB, records iter.Seq2[arrow.Record, error]) table {
	t.Helper()
	var out table
	for rec, err := range records {
		if err != nil {
			t.Fatal(err)
		}
		if out.names == nil {
			for _, f := range rec.Schema().Fields() {
				out.names = append(out.names, f.Name)
			}
			out.columns = make([][]string, rec.NumCols())
		}
		for i := range out.columns {
			for row := range int(rec.NumRows()) {
				out.columns[i] = append(out.columns[i], rec.Column(i).ValueStr(row))
			}
		}
	}
	return out
}

// digest returns a short name of everything that a table says.
func digest(t table) string {
	h := sha256.New()
	for _, c := range t.columns {
		fmt.Fprint(h, strings.Join(c, "|"), "\n")
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8])
}

func TestTheWorldIsTheSameEverywhere(t *testing.T) {
	// The values came out on amd64, on 386, and must come out on any machine. If
	// they change, the champion in testdata/retailer must be trained again.
	w := retailer.World{Seed: 1, Customers: 2000}
	tests := []struct {
		name string
		got  table
		want string
	}{
		{"the first month", read(t, w.Month("2023-01")), "5e1318adcefd9762"},
		{"a month with the campaign and the new prices", read(t, w.Month("2024-06")), "b67f17e4b3daf35b"},
		{"bad rows", read(t, w.Records("2024-02", &retailer.Options{Fault: retailer.BadRows})), "0752369ff6b79720"},
		{"labels", read(t, w.Labels("2024-06", nil)), "41b0b16098d36d38"},
		{"truth", read(t, w.Truth("2024-06")), "bb2017ec5362ef02"},
	}
	for _, tt := range tests {
		if got := digest(tt.got); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestMonthOutsideTheWorld(t *testing.T) {
	w := retailer.World{Customers: 1}
	for _, month := range []string{"2022-12", "2025-01", "2024-13", "January", ""} {
		for _, records := range []iter.Seq2[arrow.Record, error]{w.Month(month), w.Labels(month, nil), w.Truth(month)} {
			for _, err := range records {
				if !errors.Is(err, retailer.ErrMonth) {
					t.Errorf("%q: got %v, want ErrMonth", month, err)
				}
			}
		}
	}
}

func TestPartsMakeTheWhole(t *testing.T) {
	w := retailer.World{Seed: 3, Customers: 20_011}
	whole := read(t, w.Month("2024-04"))
	var ids []string
	for part := range 3 {
		p := read(t, w.Records("2024-04", &retailer.Options{Part: part, Parts: 3}))
		ids = append(ids, p.column("customer_id")...)
	}
	if !slices.Equal(ids, whole.column("customer_id")) {
		t.Errorf("three parts have %d customers, the whole %d, or others", len(ids), whole.rows())
	}
	for _, err := range w.Records("2024-04", &retailer.Options{Part: 3, Parts: 3}) {
		if err == nil {
			t.Error("part 3 of 0, 1, 2 was made")
		}
	}
}

func TestASmallWorldIsTheBeginningOfALargeOne(t *testing.T) {
	small := read(t, retailer.World{Seed: 5, Customers: 100}.Month("2024-09"))
	large := read(t, retailer.World{Seed: 5, Customers: 1000}.Month("2024-09"))
	for i, name := range small.names {
		if !slices.Equal(small.columns[i], large.columns[i][:100]) {
			t.Errorf("column %s differs", name)
		}
	}
}

func TestEveryRecordSaysThatItIsSimulated(t *testing.T) {
	w := retailer.World{Seed: 1, Customers: 10}
	for _, records := range []iter.Seq2[arrow.Record, error]{w.Month("2024-01"), w.Labels("2024-01", nil), w.Truth("2024-01")} {
		for rec, err := range records {
			if err != nil {
				t.Fatal(err)
			}
			md := rec.Schema().Metadata()
			if v, _ := md.GetValue("simulated"); v != "true" {
				t.Errorf("metadata %v", md)
			}
		}
	}
}

func TestCustomersStay(t *testing.T) {
	w := retailer.World{Seed: 1, Customers: 20_000, Steady: true}
	last, now := read(t, w.Month("2024-05")), read(t, w.Month("2024-06"))
	stayed := 0
	for i, id := range now.column("customer_id") {
		if id != last.column("customer_id")[i] {
			continue
		}
		stayed++
		for _, trait := range []string{"birthday", "region", "brand", "segment", "app", "consent", "distance_km"} {
			if got, want := now.column(trait)[i], last.column(trait)[i]; got != want {
				t.Fatalf("%s of %s: got %s, want %s", trait, id, got, want)
			}
		}
	}
	if share := float64(stayed) / 20_000; math.Abs(share-0.9592) > 0.005 {
		t.Errorf("%.4f of the customers stayed, want 0.9592", share)
	}
}

func TestKeysAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, id := range read(t, retailer.World{Seed: 1, Customers: 20_000}.Month("2024-03")).column("customer_id") {
		if seen[id] {
			t.Fatalf("%s is there twice", id)
		}
		seen[id] = true
	}
}

func TestThePartnerIsAQuarterFromMarch(t *testing.T) {
	w := retailer.World{Seed: 1, Customers: 20_000}
	for month, want := range map[string]float64{"2024-02": 0, "2024-03": 0.25, "2024-12": 0.25} {
		n := 0
		for _, id := range read(t, w.Month(month)).column("customer_id") {
			if id[0] == 'P' {
				n++
			}
		}
		if got := float64(n) / 20_000; math.Abs(got-want) > 0.01 {
			t.Errorf("%s: got %.3f, want %.2f", month, got, want)
		}
	}
}

func TestFaults(t *testing.T) {
	w := retailer.World{Seed: 1, Customers: 20_000}
	good := read(t, w.Month("2024-02"))

	lost := read(t, w.Records("2024-02", &retailer.Options{Fault: retailer.MissingColumn}))
	if slices.Contains(lost.names, "visits_30d") || len(lost.names) != len(good.names)-1 {
		t.Errorf("missing column: got %v", lost.names)
	}

	bad := read(t, w.Records("2024-02", &retailer.Options{Fault: retailer.BadRows}))
	rows := map[int]bool{}
	kinds := map[string]int{}
	for i, name := range good.names {
		for row, v := range good.columns[i] {
			if bad.columns[i][row] != v {
				rows[row] = true
				kinds[name]++
			}
		}
	}
	if share := float64(len(rows)) / 20_000; math.Abs(share-0.004) > 0.0015 {
		t.Errorf("bad rows: got a share of %.4f, want 0.004", share)
	}
	for _, name := range []string{"customer_id", "basket_value", "region", "age", "return_rate"} {
		if kinds[name] == 0 {
			t.Errorf("bad rows: none in %s", name)
		}
	}

	cents := read(t, w.Records("2024-02", &retailer.Options{Fault: retailer.Cents}))
	for row, v := range good.column("basket_value") {
		var euros, got float64
		if n, _ := fmt.Sscan(v, &euros); n == 0 {
			continue
		}
		if fmt.Sscan(cents.column("basket_value")[row], &got); math.Abs(got-100*euros) > 1e-9 {
			t.Fatalf("cents: got %g for %g euros", got, euros)
		}
	}
	off := read(t, w.Records("2024-02", &retailer.Options{Fault: retailer.Tracker}))
	for name, want := range map[string]string{"items_viewed": "0", "days_since_visit": "365"} {
		for _, got := range off.column(name) {
			if got != want {
				t.Fatalf("tracker: got %s of %s, want %s", got, name, want)
			}
		}
	}
}

func TestWriteGivesTheSameBytes(t *testing.T) {
	w := retailer.World{Seed: 1, Customers: 3000}
	var a, b bytes.Buffer
	for _, to := range []*bytes.Buffer{&a, &b} {
		if err := w.Write(context.Background(), to, "2024-01", nil); err != nil {
			t.Fatal(err)
		}
	}
	if a.Len() == 0 || !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Errorf("%d and %d bytes, or others", a.Len(), b.Len())
	}
	paths, err := w.WriteDir(context.Background(), t.TempDir(), "2024-01", &retailer.Options{Parts: 2})
	if err != nil || len(paths) != 2 {
		t.Errorf("got %v, %v", paths, err)
	}
}

func TestAWorldWithoutCustomers(t *testing.T) {
	err := retailer.World{}.Write(context.Background(), new(bytes.Buffer), "2024-01", nil)
	if !errors.Is(err, retailer.ErrEmpty) {
		t.Errorf("got %v, want ErrEmpty", err)
	}
}

func BenchmarkMonth(b *testing.B) {
	w := retailer.World{Seed: 1, Customers: 200_000}
	b.ReportAllocs()
	for b.Loop() {
		for _, err := range w.Month("2024-12") {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(w.Customers)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
