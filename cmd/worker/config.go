package main

import (
	"errors"
	"fmt"
	"net"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/rs/zerolog"
)

// Config is what the environment says about this process. Its tags are the reference
// that --help prints; the README has the same. The connection to Temporal has its
// own variables and file, read by the SDK.
type Config struct {
	Store     string        `env:"HEADGATE_STORE" help:"where everything is kept: a directory, or a URL file:// s3:// gs:// azblob:// (required)"`
	TaskQueue string        `env:"HEADGATE_TASK_QUEUE" default:"headgate" help:"task queue to poll"`
	Parallel  int           `env:"HEADGATE_PARALLEL" default:"4" help:"activities at a time; about 100 MB each"`
	Drain     time.Duration `env:"HEADGATE_DRAIN" default:"10s" help:"how long a stopping worker waits for its activities to hand over"`
	Health    string        `env:"HEADGATE_HEALTH" default:"127.0.0.1:8090" help:"address of GET /health and, for Prometheus, GET /metrics; empty for none"`
	Log       zerolog.Level `env:"HEADGATE_LOG" default:"info" help:"least level to log: debug, info, warn, error"`

	Deployment string `env:"HEADGATE_DEPLOYMENT" help:"Temporal worker deployment to join, so that running months finish on the build they began with; empty for none"`
	BuildID    string `env:"HEADGATE_BUILD_ID" help:"version of this worker within its deployment; empty for the commit it was built from"`
}

// parseConfig reads the settings. Every bad value is in the error.
func parseConfig(lookup func(string) (string, bool)) (Config, error) {
	var c Config
	var problems []string
	v := reflect.ValueOf(&c).Elem()
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag
		name := tag.Get("env")
		text, ok := lookup(name)
		if !ok {
			text = tag.Get("default")
		}
		if err := set(v.Field(i), text); err != nil {
			problems = append(problems, fmt.Sprintf("%s=%q: %v", name, text, err))
		}
	}
	if c.Store == "" {
		problems = append(problems, "HEADGATE_STORE is not set: name a directory or a store URL, for example s3://scores?region=eu-central-1")
	}
	if c.TaskQueue == "" {
		problems = append(problems, "HEADGATE_TASK_QUEUE is empty: want a name")
	}
	if c.Health != "" {
		if _, _, err := net.SplitHostPort(c.Health); err != nil {
			problems = append(problems, fmt.Sprintf("HEADGATE_HEALTH=%q: want host:port, as in 127.0.0.1:8090", c.Health))
		}
	}
	problems = append(problems, c.version()...)
	if len(problems) > 0 {
		return c, errors.New(strings.Join(problems, "; "))
	}
	return c, nil
}

func set(field reflect.Value, text string) error {
	switch field.Interface().(type) {
	case time.Duration:
		d, err := time.ParseDuration(text)
		if err != nil || d <= 0 {
			return errors.New("want a duration above zero, as in 10s")
		}
		field.SetInt(int64(d))
	case zerolog.Level:
		level, err := zerolog.ParseLevel(text)
		if err != nil || level < zerolog.DebugLevel || level > zerolog.ErrorLevel {
			return errors.New("want debug, info, warn or error")
		}
		field.Set(reflect.ValueOf(level))
	case int:
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return errors.New("want a whole number, at least 1")
		}
		field.SetInt(int64(n))
	default:
		field.SetString(text)
	}
	return nil
}

// settings returns the table of settings that --help shows.
func settings() string {
	var b strings.Builder
	t := reflect.TypeOf(Config{})
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		fmt.Fprintf(&b, "  %-20s %s", tag.Get("env"), tag.Get("help"))
		if d := tag.Get("default"); d != "" {
			fmt.Fprintf(&b, " (default %s)", d)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
