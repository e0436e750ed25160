package registration

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"headgate/internal/calendar"
	"headgate/internal/contract"
	"headgate/internal/pipeline"
)

// ReadHolidays reads the holiday file beside the pipeline file of that name, and checks
// that the pipeline's schedule makes a calendar with it and with the contract of the
// batches. It returns nil if there is no such file.
func ReadHolidays(name string, c *pipeline.Config, k *contract.Contract) (days []string, err error) {
	if c.Schedule == nil {
		return nil, nil
	}
	if c.Schedule.Holidays != "" {
		beside := filepath.Join(filepath.Dir(name), filepath.FromSlash(c.Schedule.Holidays))
		text, err := os.ReadFile(beside)
		if err != nil {
			return nil, fmt.Errorf("%s: schedule.holidays: %w", name, err)
		}
		if days, err = calendar.ParseHolidays(beside, text); err != nil {
			return nil, err
		}
	}
	if _, err := c.Calendar(k, days, nil, time.Unix(0, 0)); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return days, nil
}
