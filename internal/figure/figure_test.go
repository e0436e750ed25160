package figure_test

import (
	"math"
	"testing"

	"headgate/internal/evaluate"
	"headgate/internal/figure"
)

func TestNumbersAreRoundedForPeople(t *testing.T) {
	for _, test := range []struct {
		text func(float64) string
		x    float64
		want string
	}{
		{figure.Number, 0, "0"}, {figure.Number, 0.6403, "0.6403"}, {figure.Number, -0.03429, "−0.0343"}, {figure.Number, 0.00654, "0.0065"},
		{figure.Number, 0.99996, "1.000"}, {figure.Number, 1.0314, "1.031"}, {figure.Number, 12.346, "12.35"}, {figure.Number, 123.45, "123.5"}, {figure.Number, 999.96, "1,000"}, {figure.Number, 1234567, "1,234,567"}, {figure.Number, 3e-7, "3.0e−07"},
		{figure.Number, math.NaN(), "–"}, {figure.Number, math.Inf(-1), "−Inf"}, {figure.Number, -0.00001, "−1.0e−05"},
		{figure.Percent, 0, "0 %"}, {figure.Percent, 1, "100 %"}, {figure.Percent, 25.06, "2,506 %"}, {figure.Percent, 0.1234, "12.3 %"}, {figure.Percent, 0.00314, "0.31 %"},
		{figure.Percent, 0.00000001, "<0.01 %"}, {figure.Percent, 0.9999999, ">99.99 %"}, {figure.Percent, 0.998, "99.80 %"}, {figure.Percent, math.NaN(), "–"},
		{figure.Bound, 0.25, "0.25"}, {figure.Bound, -0.005, "−0.005"}, {figure.Signed, 0.05, "+0.0500"}, {figure.Signed, -0.05, "−0.0500"}, {figure.Probability, 0.0004, "<0.001"}, {figure.Probability, 0.2293, "0.229"},
	} {
		if got := test.text(test.x); got != test.want {
			t.Errorf("%g: %q, want %q", test.x, got, test.want)
		}
	}
}

func TestThingsAreCounted(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{figure.Count(0), "0"}, {figure.Count(999), "999"}, {figure.Count(20_000), "20,000"}, {figure.Count(int64(-1_234_567)), "−1,234,567"},
		{figure.Things(1, "row"), "1 row"}, {figure.Things(0, "row"), "0 rows"}, {figure.Things(20_000, "row"), "20,000 rows"}, {figure.Things(2, "batch"), "2 batches"},
		{figure.Bytes(0), "0 B"}, {figure.Bytes(999), "999 B"}, {figure.Bytes(1_234), "1.2 kB"}, {figure.Bytes(5_600_000), "5.6 MB"}, {figure.Bytes(7_000_000_000_000), "7.0 TB"},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}

func TestEstimatesShowTheirIntervals(t *testing.T) {
	e := evaluate.Estimate{Value: 0.73811, Low: 0.7302, High: 0.746}
	if got, want := figure.Estimate(&e), "0.7381 [0.7302, 0.7460]"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := figure.Estimate(nil); got != "–" {
		t.Errorf("no estimate: got %q", got)
	}
}

func TestADigestIsNamedBySixteenDigits(t *testing.T) {
	for _, test := range []struct{ name, digest, want string }{
		{"a digest", "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "0123456789abcdef"},
		{"what somebody shortened already", "0123456789ab", "0123456789ab"},
		{"none", "", ""},
	} {
		if got := figure.Short(test.digest); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}
