package train_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"headgate/internal/train"
)

// months are batches of consecutive months, whose labels are known 44 days later.
func months(n int) []train.Batch {
	var all []train.Batch
	for i := range n {
		begin := time.Date(2023, time.Month(1+i), 1, 0, 0, 0, 0, time.UTC)
		all = append(all, train.Batch{Name: begin.Format("2006-01"), Begin: begin, Known: begin.AddDate(0, 0, 44)})
	}
	return all
}

func TestTheEvidenceIsTheLatestThatIsKnown(t *testing.T) {
	asOf := time.Date(2023, 10, 1, 0, 0, 0, 0, time.UTC)
	p, err := train.OutOfTime(months(12), asOf, train.Split{Window: 3, Valid: 1, Calibration: 1, Evidence: 2})
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(p)
	if want := "{[2023-02 2023-03 2023-04] [2023-05] [2023-06] [2023-07 2023-08] [2023-01] [2023-09 2023-10 2023-11 2023-12]}"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Whatever the batches and the split: no batch is in two parts, none that was known
// later than as-of is in a part that is learned from or judged by, each part is later
// than those before, and the order in which batches come does not matter.
func TestPartsFollowEachOtherInTime(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 0))
	divided := 0
	for range 2000 {
		batches := months(1 + draw.IntN(20))
		for i := range batches {
			batches[i].Known = batches[i].Begin.AddDate(0, 0, draw.IntN(90))
			if draw.IntN(4) == 0 {
				batches[i].Known = time.Time{}
			}
		}
		asOf := batches[0].Begin.AddDate(0, 0, draw.IntN(700))
		s := train.Split{Window: draw.IntN(4), Valid: draw.IntN(3), Calibration: draw.IntN(2), Evidence: draw.IntN(4)}
		p, err := train.OutOfTime(batches, asOf, s)
		draw.Shuffle(len(batches), func(i, j int) { batches[i], batches[j] = batches[j], batches[i] })
		again, err2 := train.OutOfTime(batches, asOf, s)
		if fmt.Sprint(p, err) != fmt.Sprint(again, err2) {
			t.Fatalf("another order gives %v (%v), not %v (%v)", again, err2, p, err)
		}
		if err != nil {
			if !errors.Is(err, train.ErrBatches) {
				t.Fatal(err)
			}
			continue
		}
		divided++
		checkParts(t, p, batches, asOf, s)
	}
	if divided < 500 {
		t.Errorf("only %d splits were possible", divided)
	}
}

func checkParts(t *testing.T, p train.Parts, batches []train.Batch, asOf time.Time, s train.Split) {
	t.Helper()
	used := slices.Concat(p.Older, p.Train, p.Valid, p.Calibration, p.Evidence)
	all := slices.Concat(used, p.Later)
	slices.Sort(all)
	if len(slices.Compact(all)) != len(batches) || len(used)+len(p.Later) != len(batches) {
		t.Fatalf("%d batches are in %v", len(batches), p)
	}
	if !slices.IsSorted(used) { // names sort by time
		t.Fatalf("parts are not in the order of time: %v", p)
	}
	if len(p.Train) == 0 || s.Window > 0 && len(p.Train) != s.Window || len(p.Valid) != s.Valid || len(p.Calibration) != s.Calibration || len(p.Evidence) != s.Evidence {
		t.Fatalf("%+v gave %v", s, p)
	}
	for _, b := range batches {
		late := b.Begin.After(asOf) || b.Known.After(asOf)
		if late != slices.Contains(p.Later, b.Name) {
			t.Fatalf("batch %s, known on %s, and as-of %s: %v", b.Name, b.Known, asOf, p)
		}
	}
}

func TestEveryWindowHasTheSameEvidence(t *testing.T) {
	all, err := train.Windows(months(12), day(400), train.Split{Valid: 1, Evidence: 1}, []int{3, 6, 0, 10})
	if err != nil {
		t.Fatal(err)
	}
	var sizes []int
	for _, p := range all {
		sizes = append(sizes, len(p.Train))
		if !slices.Equal(p.Evidence, []string{"2023-12"}) || !slices.Equal(p.Valid, []string{"2023-11"}) {
			t.Errorf("got %v", p)
		}
	}
	if !slices.Equal(sizes, []int{3, 6, 10}) {
		t.Errorf("windows of %v batches; 0 and 10 are the same", sizes)
	}
}

func TestSplitsThatCannotBeMadeAreSaid(t *testing.T) {
	twice := append(months(3), months(1)...)
	together := months(3)
	together[1].Begin = together[0].Begin
	for _, tt := range []struct {
		name    string
		batches []train.Batch
		split   train.Split
		want    string
	}{
		{"too few batches", months(3), train.Split{Window: 2, Valid: 1, Evidence: 1}, "3 batches were known at 2025-02-04, and it takes 4: 2 to learn from, 1 to tell when to stop, 0 to calibrate, 1 for the evidence"},
		{"no batches", nil, train.Split{}, "0 batches were known"},
		{"one name twice", twice, train.Split{}, "batch 2023-01 is there twice"},
		{"one beginning twice", together, train.Split{}, "2023-01 and 2023-02 begin at the same time"},
		{"a negative number", months(3), train.Split{Valid: -1}, "cannot be negative"},
		{"all entities held", months(3), train.Split{Entities: 1}, "from 0 to below 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := train.Windows(tt.batches, day(400), tt.split, []int{tt.split.Window}); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// Every entity is on one side, in every batch, and the share of them is as asked for.
func TestAnEntityIsOnOneSideOnly(t *testing.T) {
	for _, share := range []float64{0.1, 0.5} {
		sides := map[int64]bool{}
		for seed := range uint64(3) {
			for _, held := range []bool{true, false} {
				for rec, err := range train.Entities(shop(3000, seed).stream(), []string{"id"}, 7, share, held) {
					if err != nil {
						t.Fatal(err)
					}
					for _, id := range integers(rec, "id") {
						if side, seen := sides[id]; seen && side != held {
							t.Fatalf("customer %d is on both sides", id)
						}
						sides[id] = held
					}
				}
			}
		}
		n := 0
		for _, held := range sides {
			if held {
				n++
			}
		}
		if got := float64(n) / float64(len(sides)); len(sides) != 200 || got < share-0.09 || got > share+0.09 {
			t.Errorf("%d of %d customers are held, want a share of %g", n, len(sides), share)
		}
	}
}

func TestRowsOfEntitiesAreWhole(t *testing.T) {
	rows := 0
	for _, held := range []bool{true, false} {
		for rec, err := range train.Entities(shop(3000, 1).stream(), []string{"id", "city"}, 7, 0.5, held) {
			if err != nil {
				t.Fatal(err)
			}
			rows += int(rec.NumRows())
		}
	}
	if rows != 3000 {
		t.Errorf("both sides have %d rows of 3000", rows)
	}
}
