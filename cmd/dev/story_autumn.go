package main

import (
	"context"
)

func (t *story) september(ctx context.Context) error { return nil }
func (t *story) october(ctx context.Context) error   { return nil }
func (t *story) november(ctx context.Context) error  { return nil }
func (t *story) december(ctx context.Context) error  { return nil }
