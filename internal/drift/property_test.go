package drift_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/drift"
	"headgate/internal/profile"
)

// randomCounts returns up to 30 bins with up to 10^6 rows each, many of them empty.
func randomCounts(rng *rand.Rand) (ref, cur []int64) {
	for range 1 + rng.IntN(30) {
		size := math.Pow(10, 6*rng.Float64())
		for _, side := range []*[]int64{&ref, &cur} {
			n := int64(0)
			if rng.IntN(4) > 0 {
				n = int64(rng.Float64() * size)
			}
			*side = append(*side, n)
		}
	}
	ref[0]++
	cur[rng.IntN(len(cur))]++
	return ref, cur
}

func TestMeasuresAreSymmetricAndInRange(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	for range 3000 {
		ref, cur := randomCounts(rng)
		psi, _ := drift.PSI(ref, cur)
		back, _ := drift.PSI(cur, ref)
		if !(psi >= 0) || math.IsInf(psi, 0) || math.Abs(psi-back) > 1e-12*psi+1e-15 {
			t.Fatalf("PSI of %v and %v: %g and %g", ref, cur, psi, back)
		}
		js, _ := drift.JensenShannon(ref, cur)
		backJS, _ := drift.JensenShannon(cur, ref)
		if !(js >= 0 && js <= 1) || math.Abs(js-backJS) > 1e-14 {
			t.Fatalf("JS of %v and %v: %g and %g", ref, cur, js, backJS)
		}
		chi, _ := drift.ChiSquare(ref, cur)
		backChi, _ := drift.ChiSquare(cur, ref)
		if !(chi.V >= 0 && chi.V <= 1 && chi.P >= 0 && chi.P <= 1) || math.Abs(chi.Statistic-backChi.Statistic) > 1e-9*chi.Statistic+1e-12 {
			t.Fatalf("χ² of %v and %v: %+v and %+v", ref, cur, chi, backChi)
		}
		if largest, _ := drift.LInfinity(ref, cur); !(largest >= 0 && largest <= 1) {
			t.Fatalf("L∞ of %v and %v: %g", ref, cur, largest)
		}
	}
}

func TestEqualSidesAreNotApart(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 2))
	for range 500 {
		ref, _ := randomCounts(rng)
		psi, _ := drift.PSI(ref, ref)
		raw, _ := drift.RawPSI(ref, ref)
		js, _ := drift.JensenShannon(ref, ref)
		largest, _ := drift.LInfinity(ref, ref)
		chi, _ := drift.ChiSquare(ref, ref)
		if psi != 0 || raw != 0 || js != 0 || largest != 0 || chi.Statistic != 0 || chi.P != 1 {
			t.Fatalf("%v: %g %g %g %g %+v", ref, psi, raw, js, largest, chi)
		}
	}
}

var wildSchema = arrow.NewSchema([]arrow.Field{
	{Name: "amount", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "items", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
	{Name: "account", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "region", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "id", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "raw", Type: arrow.BinaryTypes.Binary, Nullable: true},
	{Name: "app", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
	{Name: "birthday", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
	{Name: "seen", Type: arrow.FixedWidthTypes.Timestamp_us, Nullable: true},
	{Name: "tags", Type: arrow.ListOf(arrow.PrimitiveTypes.Int32), Nullable: true},
}, nil)

// wild returns a record with values that are hard to compare. Each column may be
// all null.
func wild(rng *rand.Rand, rows int) arrow.Record {
	b := array.NewRecordBuilder(memory.NewGoAllocator(), wildSchema)
	for i := range wildSchema.NumFields() {
		nulls := []int{0, 10, 100}[rng.IntN(3)]
		domain := 1 + rng.IntN(4000)
		for range rows {
			if rng.IntN(100) < nulls {
				b.Field(i).AppendNull()
			} else {
				appendWild(b.Field(i), rng, domain)
			}
		}
	}
	return b.NewRecord()
}

func appendWild(to array.Builder, rng *rand.Rand, domain int) {
	switch to := to.(type) {
	case *array.Float64Builder:
		special := []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, math.Copysign(0, -1), math.MaxFloat64, -math.MaxFloat64, 5e-324, -5e-324, 1e-300}
		if i := rng.IntN(60); i < len(special) {
			to.Append(special[i])
			return
		}
		to.Append(rng.NormFloat64() * math.Pow(10, float64(rng.IntN(40)-20)))
	case *array.Int32Builder:
		to.Append(int32(rng.IntN(domain)) - 3)
	case *array.Int64Builder:
		to.Append(math.MaxInt64 - int64(rng.IntN(domain)))
	case *array.StringBuilder:
		to.Append(fmt.Sprint("R", rng.IntN(domain)))
	case *array.BinaryBuilder:
		to.Append([]byte{byte(rng.IntN(domain)), 255})
	case *array.BooleanBuilder:
		to.Append(rng.IntN(domain) == 0)
	case *array.Date32Builder:
		to.Append(arrow.Date32(rng.IntN(domain)))
	case *array.TimestampBuilder:
		to.Append(arrow.Timestamp(rng.Int64()))
	case *array.ListBuilder:
		to.Append(true)
	}
}

// profileOf returns the profile of records.
func profileOf(t testing.TB, records ...arrow.Record) *profile.Profile {
	t.Helper()
	b := profile.NewBuilder(&profile.Options{
		Slices: []string{"region", "app", "items"}, Scores: []string{"amount"}, Confidential: []string{"account"}, Restricted: []string{"seen"},
	})
	for _, rec := range records {
		if err := b.Add(rec); err != nil {
			t.Fatal(err)
		}
	}
	return b.Profile()
}

// JSON refuses NaN and infinities, so a report that can be written has none.
func TestReportsOfWildProfilesAreFiniteAndTheSameInAnyOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for i := range 12 {
		ref := profileOf(t, wild(rng, rng.IntN(4000)))
		parts := []*profile.Profile{profileOf(t, wild(rng, rng.IntN(3000))), profileOf(t, wild(rng, rng.IntN(3000))), profileOf(t, wild(rng, 1+rng.IntN(10)))}
		var reports [][]byte
		for range 2 {
			cur := parts[0]
			for _, p := range parts[1:] {
				var err error
				if cur, err = profile.Merge(cur, p); err != nil {
					t.Fatal(err)
				}
			}
			r := compare(t, ref, cur, &drift.Options{MinRows: int64(1 + i%2*999)})
			data, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			roundTrip(t, r)
			reports = append(reports, data)
			slices.Reverse(parts)
		}
		if !bytes.Equal(reports[0], reports[1]) {
			t.Fatalf("the order of merging shows:\n%s\n%s", reports[0], reports[1])
		}
	}
}

func TestAProfileHasNotDriftedFromItself(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 10 {
		p := profileOf(t, wild(rng, 3000))
		r := compare(t, p, p, nil)
		if r.Level != drift.None || len(r.Causes) != 0 {
			t.Fatalf("got %s: %q", r.Level, r.Reasons)
		}
		for _, c := range r.Columns {
			if c.Effect != 0 || *c.P != 1 || c.JS.Distance != 0 || c.PSI.Value != 0 || c.Moves != nil {
				t.Errorf("%s: got %+v", c.Name, c)
			}
		}
	}
}

func TestComparingLeavesProfilesAsTheyAre(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 5))
	ref, cur := profileOf(t, wild(rng, 3000)), profileOf(t, wild(rng, 3000))
	before := [2][]byte{marshal(t, ref), marshal(t, cur)}
	a, b := compare(t, ref, cur, nil), compare(t, ref, cur, nil)
	if !reflect.DeepEqual(a, b) || !bytes.Equal(before[0], marshal(t, ref)) || !bytes.Equal(before[1], marshal(t, cur)) {
		t.Error("comparing changes what is compared")
	}
}

func marshal(t *testing.T, p *profile.Profile) []byte {
	t.Helper()
	data, err := p.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// At the edge of what is significant, chance must give what PSIP says: here, 5 % of
// pairs of equal distributions, within three standard errors.
func TestChanceGivesWhatPSIPSays(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 6))
	const pairs = 2000
	for _, rows := range [][2]int{{2000, 500}, {1000, 1000}} {
		below := 0
		for range pairs {
			var counts [2][]int64
			for side, n := range rows {
				counts[side] = make([]int64, 10)
				for range n {
					counts[side][rng.IntN(10)]++
				}
			}
			psi, err := drift.PSI(counts[0], counts[1])
			if err != nil {
				t.Fatal(err)
			}
			if drift.PSIP(psi, int64(rows[0]), int64(rows[1]), 10) < 0.05 {
				below++
			}
		}
		if share := float64(below) / pairs; math.Abs(share-0.05) > 3*math.Sqrt(0.05*0.95/pairs) {
			t.Errorf("%v rows: %g of the pairs, want 0.05", rows, share)
		}
	}
}
