package registry

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"headgate/internal/store"
)

// Pipelines returns the names of all pipelines that have a log in a store, in their order.
func Pipelines(ctx context.Context, b *store.Bucket) ([]string, error) {
	const root = "registry/"
	var names []string
	for attrs, err := range b.List(ctx, root) {
		if err != nil {
			return nil, fmt.Errorf("list the registries of %s: %w", b.URL(), err)
		}
		name, rest, _ := strings.Cut(strings.TrimPrefix(attrs.Key, root), "/")
		if strings.HasPrefix(rest, "log/") && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}
