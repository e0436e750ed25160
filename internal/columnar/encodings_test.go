package columnar

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// pad gives b the capacity that bit unpackers need.
func pad(b []byte) []byte { return append(make([]byte, 0, len(b)+padding), b...) }

func TestRunsReadWhatParquetGoWrites(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for width := range 31 {
		for _, n := range []int{1, 7, 8, 9, 100, 1000} {
			values := make([]int32, n)
			for i := range values {
				values[i] = int32(rng.Uint32() & (1<<width - 1))
				if i > 0 && rng.IntN(3) > 0 {
					values[i] = values[i-1]
				}
			}
			theirs, err := parquet.RLEDictionary.EncodeInt32(nil, values)
			if err != nil {
				t.Fatal(err)
			}
			checkRuns(t, "parquet-go's", values, theirs[1:], int(theirs[0]), rng)
			checkRuns(t, "our", values, appendIndices(nil, values, width), width, rng)
		}
	}
}

func checkRuns(t *testing.T, whose string, values []int32, encoded []byte, width int, rng *rand.Rand) {
	t.Helper()
	var r runs
	r.reset(pad(encoded), width)
	got := make([]int32, len(values))
	for at := 0; at < len(got); {
		n := min(1+rng.IntN(70), len(got)-at)
		if err := r.next(got[at : at+n]); err != nil {
			t.Fatalf("%s runs of %d bits: %v", whose, width, err)
		}
		at += n
	}
	if !slices.Equal(got, values) {
		t.Fatalf("%s runs of %d bits, %d values: %v, want %v", whose, width, len(values), got, values)
	}
}

func TestDeltaReadsWhatParquetGoWrites(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for shift := range 64 {
		for _, n := range []int{0, 1, 2, 31, 32, 33, 129, 1000} {
			values := make([]int64, n)
			for i := range values {
				values[i] = int64(rng.Uint64()) >> shift
			}
			b, err := parquet.DeltaBinaryPacked.EncodeInt64(nil, values)
			if err != nil {
				t.Fatal(err)
			}
			got := make([]int64, n)
			rest, err := decodeDelta(got, pad(append(b, "rest"...)))
			if err != nil || !slices.Equal(got, values) || string(rest) != "rest" {
				t.Fatalf("%d values, shift %d: %v, rest %q (%v), want %v", n, shift, got, rest, err, values)
			}
		}
	}
}

func TestBits(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	bitmap := randomBytes(rng, 23)
	for off := range 8 * len(bitmap) {
		for n := range min(64, 8*len(bitmap)-off) + 1 {
			var want uint64
			for i := range n {
				want |= uint64(bitmap[(off+i)/8]>>((off+i)%8)&1) << i
			}
			if got := word(bitmap, off, n); got != want {
				t.Fatalf("%d bits from %d on: %x, want %x", n, off, got, want)
			}
		}
	}
}

func TestBigEndian(t *testing.T) {
	cases := []struct {
		name string
		src  []byte
		want string
		err  error
	}{
		{"nothing is zero", nil, "00000000", nil},
		{"a positive number", []byte{1, 2}, "02010000", nil},
		{"a negative number", []byte{0xff, 0xfe}, "feffffff", nil},
		{"leading zeros are dropped", []byte{0, 0, 0, 0, 0, 0x7f}, "7f000000", nil},
		{"leading ones are dropped", []byte{0xff, 0xff, 0x80, 0, 0, 0}, "00000080", nil},
		{"a sign would change", []byte{0, 0x80, 0, 0, 0}, "", ErrCorrupt},
		{"too many digits", []byte{1, 0, 0, 0, 0}, "", ErrCorrupt},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dst := make([]byte, 4)
			err := bigEndian(dst, c.src)
			if got := fmt.Sprintf("%x", dst); (err != nil) != (c.err != nil) || err == nil && got != c.want {
				t.Errorf("%s (%v), want %s", got, err, c.want)
			}
		})
	}
}

func TestInt96(t *testing.T) {
	cases := []struct {
		name  string
		day   int32 // since 1970
		nanos int64
		want  int64
		fails bool
	}{
		{name: "1970", day: 0, nanos: 0, want: 0},
		{name: "a nanosecond before 1970", day: -1, nanos: 86_399_999_999_999, want: -1},
		{name: "the last day that fits", day: 106751, nanos: 1, want: 106751*86_400_000_000_000 + 1},
		{name: "the last nanosecond", day: 106751, nanos: math.MaxInt64 - 106751*86_400_000_000_000, want: math.MaxInt64},
		{name: "one nanosecond more", day: 106751, nanos: math.MaxInt64 - 106751*86_400_000_000_000 + 1, fails: true},
		{name: "the year 9999", day: 2932896, fails: true},
		{name: "the year 1", day: -719162, fails: true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			src := make([]byte, 12)
			view[int64](src)[0] = c.nanos
			view[int32](src)[2] = c.day + julianEpoch
			var got [1]int64
			err := int96Run(got[:], src)
			if (err != nil) != c.fails || !c.fails && got[0] != c.want {
				t.Errorf("%d (%v), want %d", got[0], err, c.want)
			}
		})
	}
}
