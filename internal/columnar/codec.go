package columnar

import (
	"bytes"
	"errors"
	"io"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"
	"github.com/pierrec/lz4/v4"
)

// The codecs of parquet-go trust the compressed bytes for the size of the result
// (its LZ4 doubles the buffer for ever on a corrupt block). A page header says
// how long a page is, so here nothing longer than that is ever made.

// decompress fills dst exactly from src.
func decompress(codec format.CompressionCodec, dst, src []byte) error {
	n, err := decode(codec, dst, src)
	switch {
	case err != nil && !errors.Is(err, ErrUnsupported):
		return corrupt("%s: %v", codec, err)
	case err != nil:
		return err
	case n != len(dst):
		return corrupt("%s: %d bytes where %d belong", codec, n, len(dst))
	}
	return nil
}

func decode(codec format.CompressionCodec, dst, src []byte) (int, error) {
	switch codec {
	case format.Uncompressed:
		if len(src) != len(dst) {
			return len(src), nil
		}
		return copy(dst, src), nil
	case format.Snappy:
		n, err := snappy.DecodedLen(src)
		if err != nil || n != len(dst) {
			return n, err
		}
		_, err = snappy.Decode(dst, src)
		return n, err
	case format.Zstd:
		d := zstdDecoders.Get().(*zstd.Decoder)
		defer zstdDecoders.Put(d)
		out, err := d.DecodeAll(src, dst[:0:len(dst)])
		return len(out), err
	case format.Lz4Raw:
		if len(dst) == 0 {
			return 0, nil
		}
		return lz4.UncompressBlock(src, dst)
	case format.Gzip:
		z := gzipReaders.Get().(*gzip.Reader)
		defer gzipReaders.Put(z)
		if err := z.Reset(bytes.NewReader(src)); err != nil {
			return 0, err
		}
		return fill(z, dst)
	case format.Brotli:
		z := brotliReaders.Get().(*brotli.Reader)
		defer brotliReaders.Put(z)
		if err := z.Reset(bytes.NewReader(src)); err != nil {
			return 0, err
		}
		return fill(z, dst)
	}
	return 0, unsupported("compression %s", codec)
}

// fill reads dst from a decompressor that must end exactly there.
func fill(r io.Reader, dst []byte) (int, error) {
	n, err := io.ReadFull(r, dst)
	if err != nil && !errors.Is(err, io.EOF) {
		return n, err
	}
	var more [1]byte
	if k, err := io.ReadFull(r, more[:]); k != 0 {
		return n + k, nil
	} else if !errors.Is(err, io.EOF) {
		return n, err
	}
	return n, nil
}

var (
	zstdDecoders = sync.Pool{New: func() any {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecodeAllCapLimit(true))
		if err != nil {
			panic(err) // constant options
		}
		return d
	}}
	gzipReaders   = sync.Pool{New: func() any { return new(gzip.Reader) }}
	brotliReaders = sync.Pool{New: func() any { return new(brotli.Reader) }}
)
