package dossier_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"headgate/internal/report"
	"headgate/internal/report/page"
	"headgate/internal/store"
	"headgate/internal/store/storetest"
)

// erase deletes every paper of the runs over a month, as docs/privacy.md lets people do.
func (s *shop) erase(month string) {
	s.t.Helper()
	erased := 0
	for _, key := range storetest.Keys(s.t, s.b) {
		if strings.HasPrefix(key, "runs/retailer/"+month+"/") {
			if err := s.b.Delete(s.t.Context(), key); err != nil {
				s.t.Fatal(err)
			}
			erased++
		}
	}
	if erased == 0 {
		s.t.Fatalf("%s has no papers", month)
	}
}

// Of a month whose papers somebody has deleted nobody can tell the numbers; all other pages
// stay, and say so.
func TestAMonthThatWasErased(t *testing.T) {
	s := newMonths(t)
	s.candidate(hand, next)
	s.judged("pass")
	s.erase("2024-01")
	r := s.open()
	if _, err := r.Batch(t.Context(), "2024-01", ""); !errors.Is(err, store.ErrNotFound) || !strings.Contains(err.Error(), "somebody has deleted the papers of the run over 2024-01") {
		t.Errorf("its own report: %v", err)
	}
	b, err := r.Batch(t.Context(), "2024-02", "")
	if err != nil || !slices.Contains(b.Notes, "the papers of 2024-01 are gone, so nothing is compared with them") || b.Scores[0].Before != "" {
		t.Errorf("the report on the month after: %v, notes %q", err, b.Notes)
	}
	m, err := r.Month(t.Context(), "2024-01")
	if err != nil {
		t.Fatal(err)
	}
	line := m.Month
	if !line.Gone || line.State != "published" || line.Rows.Delivered != 0 || line.Served[0].Rows != 1000 || line.Quality == nil {
		t.Errorf("the month: %+v", line)
	}
	text := string(page.Markdown(m.Page()))
	if !strings.Contains(text, "the papers of its run were deleted") || strings.Contains(text, "no row was read") || strings.Contains(text, "0 rows") {
		t.Errorf("the page of the month says\n%s", text)
	}
	if m, err = r.Month(t.Context(), "2024-02"); err != nil || !m.Months[0].Gone || m.Months[1].Gone {
		t.Errorf("the month after: %v, %+v", err, m.Months)
	}
	if _, err := r.Release(t.Context(), hand); err != nil {
		t.Errorf("the release: %v", err)
	}
	if c, err := r.Card(t.Context(), ""); err != nil || len(c.Drift) != 1 || c.Drift[0].Batch != "2024-02" {
		t.Errorf("the card: %v %+v", err, c.Drift)
	}
	shelf, err := r.Shelf(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(shelf.Months) != 3 || slices.ContainsFunc(shelf.Runs, func(l report.Leaf) bool { return l.Batch == "2024-01" }) || len(shelf.Runs) != 2 {
		t.Errorf("the shelf lists %s and %+v", fmt.Sprint(shelf.Months), shelf.Runs)
	}
}
