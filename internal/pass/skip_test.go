package pass_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/columnar"
	"headgate/internal/pass"
	"headgate/internal/profile"
	"headgate/internal/run"
)

func TestSkip(t *testing.T) {
	rows := record(t, peopleSchema, `[{"id":7,"x":1},{"id":null,"x":2},{"id":9,"x":-1}]`)
	noKeys := record(t, arrow.NewSchema(peopleSchema.Fields()[1:], nil), `[{"x":1},{"x":2},{"x":3}]`)
	for _, tt := range []struct {
		name  string
		file  *columnar.File
		known bool
		keys  int
	}{
		{"a file whose key column can be read", parquet(t, nil, rows), true, 2},
		{"a file without it", parquet(t, nil, noKeys), false, 0},
		{"no file", nil, false, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := pass.Skip(t.Context(), tt.file, run.Shard{Groups: 1, Rows: 3}, peopleContract(t), linear(1))
			if err != nil || got.Known != tt.known || len(got.Keys) != 1 || got.Keys[0] == nil {
				t.Fatalf("%+v, %v", got, err)
			}
			keys := 0
			err = pass.MergeKeys([]io.Reader{bytes.NewReader(got.Keys[0])}, func(_ pass.Key, row pass.Duplicate) error {
				if !row.Quarantined {
					t.Errorf("row %d is not in quarantine", row.Row)
				}
				keys++
				return nil
			})
			if err != nil || keys != tt.keys {
				t.Errorf("%d keys, want %d (%v)", keys, tt.keys, err)
			}
			var p profile.Profile
			if err := p.UnmarshalBinary(got.Profile); err != nil || p.Rows != 0 {
				t.Errorf("a profile of %d rows (%v)", p.Rows, err)
			}
		})
	}
}

func TestSkipStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := pass.Skip(ctx, nil, run.Shard{}, peopleContract(t), linear(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
}
