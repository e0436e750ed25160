package activities

import (
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/contract"
	"headgate/internal/run"
)

func TestPublishable(t *testing.T) {
	footer := contract.Footer{Schema: arrow.NewSchema([]arrow.Field{
		{Name: "key", Type: arrow.BinaryTypes.String},
		{Name: "seen", Type: arrow.FixedWidthTypes.Timestamp_ns},
	}, nil)}
	file := run.File{Key: "incoming/a.parquet"}
	if err := publishable(file, footer, []string{"key", "absent"}); err != nil {
		t.Errorf("text: %v", err)
	}
	err := publishable(file, footer, []string{"key", "seen"})
	if err == nil || kindOf(err) != KindConfig {
		t.Fatalf("got %v, want an error of kind %s", err, KindConfig)
	}
	for _, want := range []string{`incoming/a.parquet: column "seen" cannot be published`, "take it out of scores.keep"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not say %q", err, want)
		}
	}
}
