package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestRedact(t *testing.T) {
	tests := []struct {
		name, url, want string
	}{
		{"nothing to hide", "s3://b/p?endpoint=http://127.0.0.1:1&use_path_style=true", "s3://b/p?endpoint=http://127.0.0.1:1&use_path_style=true"},
		{"a password", "s3://key:hunter2@b/p", "s3://REDACTED@b/p"},
		{"a password with an @", "s3://key:hun@ter2@b/p", "s3://REDACTED@b/p"},
		{"an unknown parameter", "azblob://c?sig=hunter2&domain=d", "azblob://c?sig=REDACTED&domain=d"},
		{"a password in an endpoint", "s3://b?endpoint=https://u:hunter2@h:9000", "s3://b?endpoint=https://REDACTED@h:9000"},
		{"an encoded password in an endpoint", "s3://b?endpoint=https%3A%2F%2Fu%3Ahunter2%40h", "s3://b?endpoint=https://REDACTED@h"},
		{"bad encoding", "s3://b?endpoint=%zzhunter2", "s3://b?endpoint=REDACTED"},
		{"a fragment", "s3://b?region=r#hunter2", "s3://b?region=r"},
		{"a directory", "file:///srv/a@b", "file:///srv/a@b"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := redact(test.url); got != test.want {
				t.Errorf("redact(%q) = %q, want %q", test.url, got, test.want)
			}
		})
	}
}

func TestErrorsShowNoSecrets(t *testing.T) {
	cause := errors.New("cause")
	for _, text := range []string{
		`Put "https://acc.blob.core.windows.net/c/x?comp=block&sig=hunter2%3D&se=2026": EOF`,
		`Get "https://u:hunter2@minio:9000/b/x": refused`,
		`Get "https://b.s3.amazonaws.com/x?X-Amz-Signature=hunter2&X-Amz-Security-Token=hunter2": refused`,
		`dial https://h?access_token=hunter2 and ?X-Goog-Signature=hunter2`,
	} {
		b := &Bucket{url: "s3://b"}
		err := b.failed("get", "x", fmt.Errorf("%s: %w", text, cause))
		if strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), redacted) || !errors.Is(err, cause) {
			t.Errorf("%v", err)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	tests := []struct {
		name, url, want string
	}{
		{"nothing", "", "no URL"},
		{"an unknown scheme", "ftp://u:hunter2@host/x", "store: open ftp://REDACTED@host/x: the scheme is none of file, mem, s3, gs, azblob"},
		{"a file URL of a host", "file://host/x", "want file:///an/absolute/path"},
		{"a relative file URL", "file://x", "want file:///an/absolute/path"},
		{"a file URL with parameters", "file:///x?secret=hunter2", "want file:///an/absolute/path"},
		{"memory with a path", "mem://name/path", "want mem:// or mem://name"},
		{"no bucket", "s3:///path", "names no bucket"},
		{"an unknown parameter", "s3://b?hunter=hunter2", "hunter"},
		{"a password", "s3://u:hunter2@b", "credentials come from the environment"},
		{"a prefix that is no key", "s3://b/a//../..%00", "not a key"},
		{"no URL at all", "s3://b%zz?sig=hunter2", "does not parse"},
		{"a file", "redact_test.go", "it is a file, not a directory"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("AWS_REGION", "us-east-1")
			_, err := Open(context.Background(), test.url)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("Open(%q): %v, want %s", test.url, err, test.want)
			}
		})
	}
}
