package main

import (
	"context"
	"io"
)

func quality(ctx context.Context, s settings, stdout, stderr io.Writer) error { return nil }
