package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
	"sync"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/azureblob" // azblob:
	_ "gocloud.dev/blob/gcsblob"   // gs:
	"gocloud.dev/blob/memblob"
	_ "gocloud.dev/blob/s3blob" // s3:
)

// Open returns the store that a URL names:
//
//	/srv/headgate, ./data      a directory, made by the first Put
//	file:///srv/headgate       the same
//	mem://                     memory of its own, gone when it is closed
//	mem://name                 memory that every Open of that name in this process shares
//	s3://bucket/prefix         Amazon S3 or a server that speaks its protocol
//	gs://bucket/prefix         Google Cloud Storage
//	azblob://container/prefix  Azure Blob Storage
//
// The prefix is optional; keys are relative to it. The last three take their
// credentials from the environment and the query parameters of the packages
// s3blob, gcsblob and azureblob of gocloud.dev, such as endpoint, region and
// use_path_style for S3.
//
// Open does not reach for the store: [Bucket.Probe] does.
func Open(ctx context.Context, rawURL string) (*Bucket, error) {
	if rawURL == "" {
		return nil, errors.New("store: no URL: want a directory, file:///…, s3://…, gs://…, azblob://… or mem://")
	}
	shown := redact(rawURL)
	scheme, _, ok := strings.Cut(rawURL, "://")
	if !ok {
		return openFile(rawURL, shown)
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		// Its text would repeat the URL, whose secrets nobody can find now.
		return nil, fmt.Errorf("store: the URL that begins with %s:// does not parse", redact(scheme))
	}
	b := &Bucket{url: shown}
	switch u.Scheme {
	case "file":
		if u.Host != "" || u.RawQuery != "" || u.Path == "" {
			return nil, fmt.Errorf("store: open %s: want file:///an/absolute/path and nothing else", shown)
		}
		return openFile(u.Path, shown)
	case "mem":
		if u.RawQuery != "" || u.Path != "" {
			return nil, fmt.Errorf("store: open %s: want mem:// or mem://name and nothing else", shown)
		}
		b.driver = openMemory(u.Host)
		return b, nil
	case "s3", "gs", "azblob":
		b.driver, err = openCloud(ctx, u)
	default:
		err = fmt.Errorf("the scheme is none of file, mem, s3, gs, azblob")
	}
	if err != nil {
		return nil, fmt.Errorf("store: open %s: %w", shown, withoutSecrets(withoutValues(err, u)))
	}
	return b, nil
}

func openFile(root, shown string) (*Bucket, error) {
	d, err := openDir(root)
	if err != nil {
		return nil, fmt.Errorf("store: open %s: %w", shown, err)
	}
	return &Bucket{driver: d, url: (&url.URL{Scheme: "file", Path: d.root}).String()}, nil
}

// openCloud opens a bucket of a service. The path of u is a prefix of all keys.
func openCloud(ctx context.Context, u *url.URL) (driver, error) {
	if u.Host == "" {
		return nil, errors.New("the URL names no bucket")
	}
	if u.User != nil {
		return nil, errors.New("the URL holds a user; credentials come from the environment")
	}
	bare := *u
	bare.Path, bare.RawPath = "", ""
	bucket, err := blob.OpenBucket(ctx, bare.String())
	if err != nil {
		return nil, err
	}
	limitRetries(bucket)
	if prefix := strings.Trim(path.Clean(u.Path), "/."); prefix != "" {
		if err := CheckKey(prefix); err != nil {
			return nil, errors.Join(err, bucket.Close())
		}
		bucket = blob.PrefixedBucket(bucket, prefix+"/")
	}
	return &cloud{bucket: bucket, dialect: dialects[u.Scheme]}, nil
}

// memories are the buckets behind mem://name. They live as long as the process:
// whoever opens the name again expects to find what was put there.
var memories struct {
	sync.Mutex
	byName map[string]*blob.Bucket
}

func openMemory(name string) driver {
	if name == "" {
		return &cloud{bucket: memblob.OpenBucket(nil), dialect: dialects["mem"]}
	}
	memories.Lock()
	defer memories.Unlock()
	if memories.byName == nil {
		memories.byName = make(map[string]*blob.Bucket)
	}
	if memories.byName[name] == nil {
		memories.byName[name] = memblob.OpenBucket(nil)
	}
	return &cloud{bucket: memories.byName[name], dialect: dialects["mem"], shared: true}
}
