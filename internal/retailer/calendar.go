package retailer

import (
	"errors"
	"fmt"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
)

// ErrMonth means that the world has no such month.
var ErrMonth = errors.New("retailer: no such month")

// ErrEmpty means that a world without customers has nothing to write.
var ErrEmpty = errors.New("retailer: no customers")

const (
	months       = 24 // 2023 is history, 2024 is the story
	campaignFrom = 14 // March 2024, counted from January 2023
	pricesFrom   = 16 // May 2024
)

// seasons is what each month of the year adds to the logit.
var seasons = [12]float64{-.10, -.15, 0, 0, .05, 0, -.10, -.10, .05, .10, .35, .45}

// monthIndex returns how many months after January 2023 a month like "2024-01"
// lies. It returns [ErrMonth] outside 2023 and 2024.
func monthIndex(month string) (int, error) {
	t, err := time.Parse("2006-01", month)
	if err != nil {
		return 0, fmt.Errorf("month %q is not written like 2024-01: %w", month, ErrMonth)
	}
	m := (t.Year()-2023)*12 + int(t.Month()) - 1
	if m < 0 || m >= months {
		return 0, fmt.Errorf("month %s is not in 2023-01 to 2024-12: %w", month, ErrMonth)
	}
	return m, nil
}

// firstDay returns the first day of a month, as days since 1970.
func firstDay(m int) int32 {
	return int32(arrow.Date32FromTime(time.Date(2023, time.January+time.Month(m), 1, 0, 0, 0, 0, time.UTC)))
}
