package registry

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"headgate/internal/store"
)

// Pipelines returns the names of all pipelines that have a log in a store, in their order.
// It costs as much as there are pipelines, however long their logs are.
func Pipelines(ctx context.Context, b *store.Bucket) ([]string, error) {
	const root = "registry/"
	folders, err := b.Folders(ctx, root)
	if err != nil {
		return nil, fmt.Errorf("list the registries of %s: %w", b.URL(), err)
	}
	names := make([]string, len(folders))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(16)
	for i, folder := range folders {
		group.Go(func() error {
			name := strings.TrimSuffix(strings.TrimPrefix(folder, root), "/")
			// Without the "/" at its end, so that the entries are one folder and not many objects.
			inside, err := b.Folders(ctx, strings.TrimSuffix(Prefix(name), "/"))
			if slices.Contains(inside, Prefix(name)) {
				names[i] = name
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("list the registries of %s: %w", b.URL(), err)
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name == "" })
	slices.Sort(names)
	return names, nil
}
