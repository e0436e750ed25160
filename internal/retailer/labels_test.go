package retailer_test

import (
	"math"
	"strconv"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/retailer"
)

// floats returns a column as numbers, and truth values as 0 and 1.
func floats(t *testing.T, values []string) []float64 {
	t.Helper()
	out := make([]float64, len(values))
	for i, v := range values {
		switch v {
		case "true":
			out[i] = 1
		case "false":
		default:
			f, err := strconv.ParseFloat(v, 64)
			if err != nil {
				t.Fatal(err)
			}
			out[i] = f
		}
	}
	return out
}

// mean returns the mean.
func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

func TestPurchasesFollowTheTruth(t *testing.T) {
	w := retailer.World{Seed: 1, Customers: 20_000}
	for _, month := range []string{"2023-02", "2024-01", "2024-06", "2024-12"} {
		bought := mean(floats(t, read(t, w.Labels(month, nil)).column("bought")))
		p := mean(floats(t, read(t, w.Truth(month)).column("p_untreated")))
		if math.Abs(bought-p) > 0.01 {
			t.Errorf("%s: %.4f bought, the truth is %.4f", month, bought, p)
		}
		if p < 0.12 || p > 0.24 {
			t.Errorf("%s: the truth is %.4f, out of reach", month, p)
		}
	}
}

func TestRevisedLabelsTakePurchasesBack(t *testing.T) {
	w := retailer.World{Seed: 1, Customers: 20_000}
	first := floats(t, read(t, w.Labels("2024-01", nil)).column("bought"))
	revised := floats(t, read(t, w.Labels("2024-01", &retailer.LabelOptions{Revised: true})).column("bought"))
	for i := range first {
		if revised[i] > first[i] {
			t.Fatalf("row %d: a purchase appeared", i)
		}
	}
	if got := 1 - mean(revised)/mean(first); math.Abs(got-0.04) > 0.015 {
		t.Errorf("%.3f of the purchases were reverted, want 0.04", got)
	}
}

func TestLabelsSettle(t *testing.T) {
	labels := read(t, retailer.World{Seed: 1, Customers: 20_000}.Labels("2024-01", nil))
	late := 0
	for _, day := range labels.column("settled_on") {
		switch {
		case day > "2024-02-14" || day < "2024-01-31":
			t.Fatalf("settled on %s", day)
		case day > "2024-01-31":
			late++
		}
	}
	if got := float64(late) / 20_000; math.Abs(got-0.1) > 0.01 {
		t.Errorf("%.3f were late, want 0.1", got)
	}
}

func TestCoupons(t *testing.T) {
	w := retailer.World{Seed: 1, Customers: 20_000}
	// Every tenth row, as if it were the top decile.
	tenth := func(rec arrow.Record) ([]bool, error) {
		top := make([]bool, rec.NumRows())
		for i := 0; i < len(top); i += 10 {
			top[i] = true
		}
		return top, nil
	}
	labels := read(t, w.Labels("2024-01", &retailer.LabelOptions{Campaign: tenth}))
	treated, propensity := floats(t, labels.column("treated")), floats(t, labels.column("propensity"))
	without := floats(t, read(t, w.Labels("2024-01", nil)).column("bought"))
	more := 0.0
	for i, bought := range floats(t, labels.column("bought")) {
		if treated[i] > propensity[i]*2 || treated[i] == 0 && bought != without[i] || bought < without[i] {
			t.Fatalf("row %d: treated %g with propensity %g, bought %g instead of %g", i, treated[i], propensity[i], bought, without[i])
		}
		more += bought - without[i]
	}
	if got := mean(treated); math.Abs(got-0.08) > 0.008 {
		t.Errorf("%.3f were treated, want 0.08", got)
	}
	if more == 0 {
		t.Error("coupons have no effect")
	}
}

func TestACampaignMustJudgeEveryone(t *testing.T) {
	w := retailer.World{Seed: 1, Customers: 10}
	nobody := func(arrow.Record) ([]bool, error) { return nil, nil }
	for _, err := range w.Labels("2024-01", &retailer.LabelOptions{Campaign: nobody}) {
		if err == nil {
			t.Error("labels without a judgement")
		}
	}
}
