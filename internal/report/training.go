package report

import "headgate/internal/report/page"

// A Training is one training.
type Training struct{}

// Page returns the training as a page.
func (t *Training) Page() *page.Page { return nil }
