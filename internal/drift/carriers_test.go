package drift_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"headgate/internal/drift"
	"headgate/internal/profile"
)

// shop returns the profile of 3,000 rows cut by ten regions; row i is of region i
// mod 10 and has what value says.
func shop(t *testing.T, value func(i int) any) *profile.Profile {
	t.Helper()
	region, x := make([]any, 3000), make([]any, 3000)
	for i := range region {
		region[i], x[i] = fmt.Sprint("R", i%10), value(i)
	}
	o := &profile.Options{Slices: []string{"region"}}
	switch x[0].(type) {
	case string:
		return profiled(t, o, text("region", region...), text("x", x...))
	}
	return profiled(t, o, text("region", region...), float("x", x...))
}

func TestSlicesThatCarryTheDriftAreNamed(t *testing.T) {
	steady := func(i int) any { return float64(i % 97) }
	word := func(i int) any { return fmt.Sprint("w", i%7) }
	for _, test := range []struct {
		name     string
		ref, cur func(int) any
		hide     bool
		want     []string
	}{
		{name: "one region moves", ref: steady, cur: func(i int) any {
			if i%10 == 3 {
				return 500 + float64(i%97)
			}
			return steady(i)
		}, want: []string{`"R3" of region has 10 % of the rows and 100 % of the change of the mean`}},
		{name: "one region moves and nobody may know", hide: true, ref: steady, cur: func(i int) any {
			if i%10 == 3 {
				return 500 + float64(i%97)
			}
			return steady(i)
		}},
		{name: "all move", ref: steady, cur: func(i int) any { return 500 + float64(i%97) }},
		{name: "two regions lose a number", ref: steady, cur: func(i int) any {
			if i%10 > 7 {
				return nil
			}
			return steady(i)
		}, want: []string{
			`"R8" of region has 10 % of the rows and 50 % of the change of what is missing`,
			`"R9" of region has 10 % of the rows and 50 % of the change of what is missing`,
		}},
		{name: "one region loses a text", ref: word, cur: func(i int) any {
			if i%10 == 0 && i > 0 {
				return nil
			}
			return word(i)
		}, want: []string{`"R0" of region has 10 % of the rows and 100 % of the change of what is missing`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := &drift.Options{Policies: map[string]drift.Policy{"region": {Hide: test.hide}}}
			r := compare(t, shop(t, test.ref), shop(t, test.cur), o)
			if r.Level != drift.Warn || len(r.Causes) != 1 || r.Causes[0].Column != "x" || len(r.Causes[0].Slices) != len(test.want) {
				t.Fatalf("got %s because of %+v", r.Level, r.Causes)
			}
			var got []string
			for _, reason := range r.Columns[1].Reasons {
				if strings.Contains(reason, " of region ") {
					got = append(got, reason)
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			roundTrip(t, r)
		})
	}
}

// A slice that comes with its rows carries what they bring.
func TestNewAndVanishedSlicesCarryDrift(t *testing.T) {
	rows := func(partner bool) (source, x []any) {
		for i := range 3000 {
			switch {
			case partner && i%5 == 0:
				source, x = append(source, "partner"), append(x, 300.0)
			default:
				source, x = append(source, fmt.Sprint("shop ", i%4)), append(x, float64(i%101))
			}
		}
		return source, x
	}
	build := func(partner bool) *profile.Profile {
		source, x := rows(partner)
		return profiled(t, &profile.Options{Slices: []string{"source"}}, text("source", source...), float("x", x...))
	}
	for _, sides := range [][2]bool{{false, true}, {true, false}} {
		r := compare(t, build(sides[0]), build(sides[1]), nil)
		i := slices.IndexFunc(r.Causes, func(c drift.Cause) bool { return c.Column == "x" })
		if i < 0 || len(r.Causes[i].Slices) != 1 || r.Causes[i].Slices[0].Value != "partner" || r.Causes[i].Slices[0].Rows != 0.2 {
			t.Errorf("from partner %v to %v: got %+v", sides[0], sides[1], r.Causes)
		}
	}
}

func TestALargeSliceThatMovesLikeTheOthersCarriesNothing(t *testing.T) {
	build := func(shift float64) *profile.Profile {
		return profiled(t, &profile.Options{Slices: []string{"app"}}, boolean("app", many(3000, true, true, false)...), float("x", ramp(3000, shift, shift+1)...))
	}
	r := compare(t, build(1), build(2), nil)
	if len(r.Causes) != 1 || r.Causes[0].Slices != nil {
		t.Errorf("got %+v", r.Causes)
	}
}

func TestConfidentialColumnsShowNoValues(t *testing.T) {
	o := &profile.Options{Confidential: []string{"n", "x", "b"}}
	build := func(name string, from float64, yes any) *profile.Profile {
		return profiled(t, o, text("x", many(3000, name, name+" more")...), float("n", ramp(3000, from, from+2000)...), boolean("b", many(3000, yes, false)...))
	}
	r := compare(t, build("secret", 4711, true), build("secret of other length", 4711, true), nil)
	if len(r.Causes) != 1 || r.Causes[0].Column != "x" || r.Columns[2].Basis != drift.ByLength {
		t.Errorf("got %+v", r)
	}
	wordless(t, r, "secret")
	r = compare(t, build("secret", 4711, true), build("secret", 5711, false), nil)
	if len(r.Causes) != 2 || r.Columns[0].True.Current != 0 || r.Columns[1].OutOfRange != nil || r.Columns[1].Basis != drift.ByDecile {
		t.Errorf("got %+v", r)
	}
	wordless(t, r, "4711")
	wordless(t, r, "471")
}
