package dossier

import (
	"context"

	"headgate/internal/report"
)

// Training gathers the facts of a training.
func (r *Reader) Training(ctx context.Context, name string) (*report.Training, error) {
	return nil, nil
}
