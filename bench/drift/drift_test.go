package main

import (
	"bytes"
	"context"
	"io"
	"regexp"
	"sync"
	"testing"

	"headgate/internal/drift"
)

// small are settings for tests.
var small = settings{seeds: 3, customers: 1500, repeats: 1, parallel: 2}

// lived are the worlds of small.
var lived = sync.OnceValues(func() ([2]*tale, error) {
	steady, story, err := judgeRetail(context.Background(), small)
	return [2]*tale{steady, story}, err
})

func TestTheSteadyWorldIsQuiet(t *testing.T) {
	tales, err := lived()
	if err != nil {
		t.Fatal(err)
	}
	steady := tales[0]
	for r := range references {
		for m := range months {
			if all := steady.months[r][m]; all.batches != small.seeds || all.batch[combined] != 0 || all.unknown != 0 || steady.triggers[r][m] != 0 {
				t.Errorf("2024-%02d against the %s: %d of %d batches warn of %v", m+1, referenceNames[r], all.batch[combined], all.batches, all.names[combined])
			}
		}
	}
}

func TestTheStoryIsTold(t *testing.T) {
	tales, err := lived()
	if err != nil {
		t.Fatal(err)
	}
	story := tales[1]
	const march, may = 2, 4
	for _, r := range []reference{lastYear, pooled} {
		for m := range months {
			all, triggers := story.months[r][m], story.triggers[r][m]
			want := [2]int{0, 0}
			if m >= march {
				want[0] = small.seeds // the campaign is new
			}
			if m >= may {
				want[1] = small.seeds // for the third month
			}
			if got := [2]int{all.names[combined]["tenure"], triggers}; got != want || all.batch[combined] != want[0] {
				t.Errorf("2024-%02d against the %s: %d warn, %d trigger, want %v", m+1, referenceNames[r], all.batch[combined], triggers, want)
			}
		}
	}
	if story.extra != 0 {
		t.Errorf("the price change, which no feature shows, is claimed in %d worlds", story.extra)
	}
	if prices := story.months[previous][may]; prices.batch[combined] != 0 {
		t.Errorf("May differs from April in %v", prices.names[combined])
	}
}

func TestSmallChangesAreNoDriftAndLargeOnesAre(t *testing.T) {
	for _, kind := range kinds {
		last := kind.sizes[len(kind.sizes)-1]
		for size, want := range map[float64]int{0: 0, kind.sizes[1]: 0, last: 1} {
			all, err := kind.detect(t.Context(), small, 10_000, size)
			if err != nil {
				t.Fatal(err)
			}
			if got := all.column[combined]; got != want {
				t.Errorf("%s of %g: %d columns drifted, want %d", kind.name, size, got, want)
			}
			if moderate := kind.psi(size) >= drift.DefaultModerate; moderate != (want == 1) {
				t.Errorf("%s of %g has PSI %g", kind.name, size, kind.psi(size))
			}
		}
	}
}

func TestTheReportIsMarkdown(t *testing.T) {
	s := small
	s.seeds = 1
	var out bytes.Buffer
	if err := retail(t.Context(), s, &out); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{`\| December against December \| batches \|`, `\| 2024-03 \|( 100 % \|){4} 0 \| tenure 100 % \| 100 % \| 0 \|`, `\| tenure \| 0\.\d+ \| 100 % \| 100 % \|`, `First trigger: 2024-05 in 1 worlds`} {
		if !regexp.MustCompile(line).Match(out.Bytes()) {
			t.Errorf("no line %s in\n%s", line, out.String())
		}
	}
}

func TestWrongUsage(t *testing.T) {
	for _, test := range []struct {
		name string
		args []string
		want string
	}{
		{name: "no seeds", args: []string{"-seeds", "0"}, want: "-seeds, -repeats and -parallel are at least 1"},
		{name: "few customers", args: []string{"-customers", "999"}, want: "-customers is at least 1000: with fewer, nothing can be said"},
		{name: "an argument", args: []string{"now"}, want: `unknown argument "now"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := run(t.Context(), test.args, io.Discard, io.Discard); err == nil || err.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}
