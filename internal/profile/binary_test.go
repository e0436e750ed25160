package profile_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"headgate/internal/profile"
)

var update = flag.Bool("update", false, "rewrite testdata/version-2.bin")

// everything is options that use every part of the format.
var everything = &profile.Options{
	Restricted: []string{"birthday"}, Confidential: []string{"seen", "account"},
	Slices: []string{"region", "id", "app"}, Scores: []string{"amount"},
}

// TestVersion1IsRead reads what the first version wrote of 40 rows.
func TestVersion1IsRead(t *testing.T) {
	old, err := os.ReadFile(filepath.Join("testdata", "version-1.bin"))
	if err != nil {
		t.Fatal(err)
	}
	got := marshal(t, read(t, old))
	want := marshal(t, build(t, &profile.Options{Restricted: []string{"birthday"}}, wild(rand.New(rand.NewPCG(11, 1)), 40)))
	if !bytes.Equal(got, want) {
		t.Error("version 1 reads as another profile than version 2")
	}
}

// TestVersion2IsWritten pins the bytes: another spelling needs another version.
func TestVersion2IsWritten(t *testing.T) {
	file := filepath.Join("testdata", "version-2.bin")
	got := marshal(t, build(t, everything, wild(rand.New(rand.NewPCG(12, 1)), 20)))
	if *update {
		if err := os.WriteFile(file, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("the bytes are not those in testdata")
	}
}

func TestWhatIsNoProfile(t *testing.T) {
	good := marshal(t, build(t, everything, wild(rand.New(rand.NewPCG(4, 4)), 200)))
	version := len("hgprof\x00")
	edit := func(at int, b byte) []byte {
		data := bytes.Clone(good)
		data[at] = b
		return data
	}
	for _, tt := range []struct {
		name, want string
		data       []byte
	}{
		{name: "no bytes", want: "not a profile of version 1 to 2"},
		{name: "version 0", data: edit(version, 0), want: "not a profile of version 1 to 2"},
		{name: "a later version", data: edit(version, 3), want: "not a profile of version 1 to 2"},
		{name: "flags of version 2 in version 1", data: edit(version, 1), want: "kind 1, flags"},
		{name: "a byte too many", data: append(bytes.Clone(good), 0), want: "1 bytes too many"},
		{name: "slices of a column that is not there", data: bytes.Replace(good, []byte("\x03\x03app"), []byte("\x03\x03apq"), 1), want: `slices of column "apq"`},
		{name: "slices of a column that has none", data: bytes.Replace(good, []byte("\x03\x03app"), []byte("\x01\x06amount"), 1), want: `slices of column "amount"`},
		{name: "two slices of one value", data: repeatSlice(t, good), want: "slices out of order"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := profile.Profile{Rows: 7}
			if err := p.UnmarshalBinary(tt.data); !errors.Is(err, profile.ErrFormat) || !strings.Contains(err.Error(), tt.want) || p.Rows != 7 {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestEveryCutIsNoProfile(t *testing.T) {
	good := marshal(t, build(t, everything, wild(rand.New(rand.NewPCG(4, 4)), 3)))
	for n := range good {
		if err := new(profile.Profile).UnmarshalBinary(good[:n]); !errors.Is(err, profile.ErrFormat) {
			t.Fatalf("the first %d of %d bytes: got %v, want ErrFormat", n, len(good), err)
		}
	}
}

// repeatSlice returns the bytes with the first slice of app in place of the second.
func repeatSlice(t *testing.T, good []byte) []byte {
	t.Helper()
	p := read(t, good)
	s := p.SliceColumn("app")
	s.Slices[1] = s.Slices[0]
	return marshal(t, p)
}

// TestFewBytesTakeLittleMemory reads columns with two values that are as far apart
// as numbers can be.
func TestFewBytesTakeLittleMemory(t *testing.T) {
	const columns = 300
	var fields []arrow.Field
	for i := range columns {
		fields = append(fields, arrow.Field{Name: fmt.Sprint("c", i), Type: arrow.PrimitiveTypes.Float64})
	}
	data := marshal(t, build(t, nil, table(4, fields, func(row int, b *array.RecordBuilder) {
		for i := range columns {
			b.Field(i).(*array.Float64Builder).Append([]float64{1e-300, 1e300, -1e-300, -1e300}[row])
		}
	})))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	p := read(t, data)
	runtime.ReadMemStats(&after)
	if got := (after.TotalAlloc - before.TotalAlloc) / columns; got > 72<<10 {
		t.Errorf("%d bytes for a column of %d bytes", got, len(data)/columns)
	}
	runtime.KeepAlive(p)
}

// FuzzUnmarshal checks that bytes are refused or are the only way to write what
// they say, and that what is read can be merged and shown.
func FuzzUnmarshal(f *testing.F) {
	for _, rows := range []int{0, 1, 40} {
		rec := wild(rand.New(rand.NewPCG(3, 3)), rows)
		f.Add(marshal(f, build(f, &profile.Options{Restricted: []string{"id"}}, rec)))
		f.Add(marshal(f, build(f, everything, rec)))
	}
	old, err := os.ReadFile(filepath.Join("testdata", "version-1.bin"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(old)
	version := len("hgprof\x00")
	f.Fuzz(func(t *testing.T, data []byte) {
		var p profile.Profile
		if p.UnmarshalBinary(data) != nil {
			return
		}
		want := data
		if data[version] == 1 { // which had no slices
			want = append(bytes.Clone(data), 0)
			want[version] = 2
		}
		if got := marshal(t, &p); !bytes.Equal(got, want) {
			t.Errorf("read %x, wrote %x", data, got)
		}
		twice, err := profile.Merge(&p, &p)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range twice.Columns {
			c.Summary(3)
		}
		for _, s := range twice.Slices {
			for _, v := range s.Slices {
				for _, cell := range v.Cells {
					cell.MeanStd()
				}
			}
		}
	})
}
