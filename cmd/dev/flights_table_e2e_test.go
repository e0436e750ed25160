//go:build e2e

package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"headgate/internal/bundle"
	"headgate/internal/columnar"
	"headgate/internal/model"
	"headgate/internal/registry"
	"headgate/internal/release"
	papers "headgate/internal/run"
	"headgate/internal/store"
	"headgate/internal/worker"
)

// A worth is what testdata/flights/worth.py says of a month.
type worth struct {
	Month      string             `json:"month"`
	Rows       int64              `json:"rows"`
	Late       float64            `json:"late"`
	Served     float64            `json:"served"`
	Loss       float64            `json:"loss"`
	Frozen     float64            `json:"frozen"`
	LossFrozen float64            `json:"lossFrozen"`
	Worse      float64            `json:"worse"`
	Error      float64            `json:"error"`
	Versions   map[string]float64 `json:"versions"`
}

// released is the AUC of the version that was released last.
func (w worth) released(c chapter) float64 {
	if c.released == "v0" {
		return w.Frozen
	}
	return w.Versions[c.released]
}

// regret is by how much the better of the first champion and the released version was
// better than what was served.
func (w worth) regret(c chapter) float64 { return max(w.Frozen, w.released(c)) - w.Served }

// places writes a number with so many digits after the point, and none as 0.
func places(x float64, n int) string {
	text := strconv.FormatFloat(x, 'f', n, 64)
	if strings.Trim(text, "-0.") == "" {
		return strings.TrimPrefix(text, "-")
	}
	return text
}

// name returns the name of a version, in the order in which they are met.
func (l *loopYear) name(m store.Digest) string {
	if l.seen[m] == "" {
		l.seen[m] = fmt.Sprintf("v%d", len(l.seen))
	}
	return l.seen[m]
}

// tell begins a chapter: what the registry says since the last one.
func (l *loopYear) tell(ctx context.Context, c chapter) error {
	log, err := registry.Load(ctx, l.bucket, "flights")
	if err != nil {
		return err
	}
	c.released = "v0"
	if n := len(l.told); n > 0 {
		c.released = l.told[n-1].released
	}
	for _, e := range log.Entries()[l.head:] {
		if text := l.event(e); text != "" {
			c.events = append(c.events, text)
		}
		switch {
		case e.Kind == registry.KindPromote && e.Step == release.StepBack:
			c.back = append(c.back, l.name(e.Model))
		case e.Kind == registry.KindPromote:
			c.released = l.name(e.Model)
		}
	}
	l.head, c.champion = log.Head(), l.name(log.State().Aliases[registry.AliasChampion])
	l.told = append(l.told, c)
	return nil
}

// event tells an entry in a few words, or nothing if it is not about a decision.
func (l *loopYear) event(e registry.Entry) string {
	switch e.Kind {
	case registry.KindEvaluated:
		if e.Verdict != registry.VerdictPass {
			return fmt.Sprintf("labels of %s are no evidence", e.Batch)
		}
	case registry.KindTraining:
		return fmt.Sprintf("training up to %s: %s%s", e.Batch, e.Verdict, rules(e))
	case registry.KindCandidate:
		if strings.HasPrefix(e.Reason, "the champion with a calibration") {
			return l.name(e.Model) + ", a new calibration, is a candidate"
		}
		return l.name(e.Model) + " is a candidate"
	case registry.KindAdvance:
		return fmt.Sprintf("%s, %s: %s%s", l.name(e.Model), e.Step, e.Verdict, rules(e))
	case registry.KindApproval:
		return e.Answer + " by a person"
	case registry.KindPromote:
		if e.Step == release.StepBack {
			return l.name(e.Model) + " comes back"
		}
		if e.Release == "" {
			return l.name(e.Model) + " is the champion"
		}
		return l.name(e.Model) + " is released"
	case registry.KindRejected:
		return l.name(e.Model) + " rejected"
	}
	return ""
}

// rules names the rules by which a candidate may not go on, or the windows of a training
// that made no candidate.
func rules(e registry.Entry) string {
	if e.Verdict == registry.VerdictPass && e.Kind != registry.KindTraining || len(e.Reasons) == 0 {
		return ""
	}
	var names []string
	for _, r := range e.Reasons {
		name, _, _ := strings.Cut(r, ":")
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if e.Verdict == registry.VerdictPass {
		return " (not " + strings.Join(names, ", ") + ")"
	}
	return " (" + strings.Join(names, ", ") + ")"
}

// serves notes whose scores a published month has.
func (l *loopYear) serves(ctx context.Context, month string) error {
	log, err := registry.Load(ctx, l.bucket, "flights")
	if err != nil {
		return err
	}
	c := &l.told[len(l.told)-1]
	for _, e := range log.Entries() {
		if e.Kind != registry.KindPublished || e.Batch != month {
			continue
		}
		s := papers.Serving{Model: e.Model}
		if e.Paper != "" {
			if err := papers.LoadBlob(ctx, l.bucket, e.Paper, &s); err != nil {
				return err
			}
		}
		var parts []string
		if s.Routing == nil || len(s.Routing.Arms) < 2 {
			parts = []string{l.name(s.Models()[0])}
		} else {
			for _, arm := range s.Routing.Arms {
				parts = append(parts, fmt.Sprintf("%s %s", l.name(store.Digest(arm.Model)), release.StepName(arm.Share)))
			}
		}
		c.served = strings.Join(parts, ", ")
		c.full = len(parts) == 1 && c.served != "v0"
	}
	if c.served == "" {
		return errors.New("nothing is published")
	}
	return nil
}

// versions lets every version that was released score all months.
func (l *loopYear) versions(ctx context.Context) error {
	for digest, name := range l.seen {
		released := slices.ContainsFunc(l.told, func(c chapter) bool { return c.released == name })
		if name == "v0" || !released {
			continue
		}
		v, err := bundle.Load(ctx, l.bucket, digest, worker.Formats())
		if err != nil {
			return err
		}
		for _, month := range l.months {
			if err := l.predict(ctx, v, name, month); err != nil {
				return fmt.Errorf("%s on %s: %w", name, month, err)
			}
		}
	}
	return nil
}

var predicted = arrow.NewSchema([]arrow.Field{{Name: "flight_id", Type: arrow.PrimitiveTypes.Int64}, {Name: "pred", Type: arrow.PrimitiveTypes.Float64}}, nil)

// predict writes what a version says of a month.
func (l *loopYear) predict(ctx context.Context, v *bundle.Version, name, month string) (err error) {
	dir := filepath.Join(l.out, "versions", name)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir, month+".parquet"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w, err := columnar.Create(f, predicted, nil)
	if err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(l.store(), "incoming", "flights", month, "*.parquet"))
	if err != nil {
		return err
	}
	columns := []string{"flight_id"}
	for _, in := range v.Bundle.Inputs {
		columns = append(columns, in.Name)
	}
	for _, file := range files {
		if err := predictFile(ctx, w, v.Scorer, file, columns); err != nil {
			return err
		}
	}
	return w.Close()
}

// predictFile writes what a model says of a file's flights.
func predictFile(ctx context.Context, w *columnar.Writer, m model.Scorer, file string, columns []string) error {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	rows, err := columnar.Open(in, info.Size(), nil)
	if err != nil {
		return err
	}
	var scores model.Scores
	for rec, err := range rows.Records(ctx, columnar.ReadOptions{Columns: columns}) {
		if err == nil {
			err = m.Score(&scores, rec)
		}
		if err != nil {
			return err
		}
		said := scores.Record()
		pred := said.Column(int(said.NumCols()) - 1)
		err = w.Write(array.NewRecord(predicted, []arrow.Array{rec.Column(0), pred}, rec.NumRows()))
		said.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

// table is the year as docs/flights.md has it.
func (l *loopYear) table(months []worth) string {
	var b strings.Builder
	b.WriteString("| month | flights | late | served by | served | frozen | released | regret | log loss served, frozen | before it |\n|---|---|---|---|---|---|---|---|---|---|\n")
	served, frozen, regret := 0.0, 0.0, 0.0
	for i, w := range months {
		c := l.told[i]
		fmt.Fprintf(&b, "| %s | %d | %.3f | %s | %.3f | %.3f | %s %.3f | %s | %.3f, %.3f | %s |\n",
			w.Month, w.Rows, w.Late, c.served, w.Served, w.Frozen, c.released, w.released(c), places(w.regret(c), 3), w.Loss, w.LossFrozen, strings.Join(c.events, "; "))
		served, frozen, regret = served+w.Served, frozen+w.Frozen, regret+w.regret(c)
	}
	n := float64(len(months))
	fmt.Fprintf(&b, "| mean | | | | %.3f | %.3f | | %s | | after the year: %s |\n", served/n, frozen/n, places(regret/n, 4), strings.Join(l.told[len(months)].events, "; "))
	return b.String()
}

// check holds the year against what the loop promises.
func (l *loopYear) check(months []worth) {
	l.t.Helper()
	if len(months) != len(l.months) {
		l.t.Fatalf("%d months are published, want %d", len(months), len(l.months))
	}
	regret, full := 0.0, false
	const same = 1e-6 // of an AUC: a new calibration may make ties
	for i, w := range months {
		c := l.told[i]
		regret += w.regret(c) / float64(len(months))
		full = full || c.full
		switch {
		case c.served == "v0" && !(math.Abs(w.Served-w.Frozen) <= 1e-12):
			l.t.Errorf("%s: the first champion served all, and its AUC is %v and not %v", w.Month, w.Served, w.Frozen)
		case l.n == 2021 && full && !(w.Served >= w.Frozen-same && w.Loss < w.LossFrozen):
			l.t.Errorf("%s: after a release in full the AUC is %.4f and the log loss %.4f, the first champion's are %.4f and %.4f",
				w.Month, w.Served, w.Loss, w.Frozen, w.LossFrozen)
		case l.revealed(months, i) && !l.reversed(i):
			l.t.Errorf("%s: %s served all with a log loss of %.4f, the first champion's is %.4f, and it did not come back when that was known",
				w.Month, c.served, w.Loss, w.LossFrozen)
		}
	}
	if !full {
		l.t.Error("nothing was released in full")
	}
	harmful := slices.ContainsFunc(months, func(w worth) bool { return l.revealed(months, slices.Index(l.months, w.Month)) })
	if l.n == 2017 && !harmful {
		l.t.Error("in 2017 no release did harm that labels reveal, so none had to be reversed")
	}
	if !(regret <= 0.01) {
		l.t.Errorf("the mean regret is %.4f, want at most .01", regret)
	}
}

// revealed reports whether the labels of a month show, with those of the months before in
// which the same version served everybody, that it is worse than the first champion: by
// three standard errors of its log loss. It asks no gate.
func (l *loopYear) revealed(months []worth, month int) bool {
	sum, variance, n := 0.0, 0.0, 0.0
	for i := month; i >= 0 && l.told[i].full && l.told[i].served == l.told[month].served; i-- {
		rows := float64(months[i].Rows)
		sum, variance, n = sum+rows*months[i].Worse, variance+rows*rows*months[i].Error*months[i].Error, n+rows
	}
	return n > 0 && sum > 3*math.Sqrt(variance)
}

// harm is by how much a release is worse than the first champion so that a month shows it.
const harm = 0.01

// reversed reports whether the version that served a month was taken back as soon as the
// labels of that month were known: before the next but one, or earlier.
func (l *loopYear) reversed(month int) bool {
	for _, c := range l.told[month+1 : min(month+3, len(l.told))] {
		if len(c.back) > 0 {
			return true
		}
	}
	return false
}
