package columnar

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// These mirror parquet.thrift, field by field, with only what reading needs.
// The structs of package format cannot tell "no nulls" from "not counted".
type (
	footer struct {
		Version      int32                              `thrift:"1,required"`
		Schema       thrift.Slice[format.SchemaElement] `thrift:"2,required"`
		NumRows      int64                              `thrift:"3,required"`
		RowGroups    thrift.Slice[groupMeta]            `thrift:"4,required"`
		CreatedBy    string                             `thrift:"6,optional"`
		ColumnOrders thrift.Slice[format.ColumnOrder]   `thrift:"7,optional"`
		Encryption   format.EncryptionAlgorithm         `thrift:"8,optional"`
	}

	groupMeta struct {
		Columns       thrift.Slice[chunkMeta] `thrift:"1,required"`
		TotalByteSize int64                   `thrift:"2,required"`
		NumRows       int64                   `thrift:"3,required"`
	}

	chunkMeta struct {
		FilePath  string                      `thrift:"1,optional"`
		Meta      columnMeta                  `thrift:"3,optional"`
		Crypto    format.ColumnCryptoMetaData `thrift:"8,optional"`
		Encrypted []byte                      `thrift:"9,optional"`
	}

	columnMeta struct {
		Type         format.Type                   `thrift:"1,required"`
		Encodings    thrift.Slice[format.Encoding] `thrift:"2,required"`
		Codec        format.CompressionCodec       `thrift:"4,required"`
		NumValues    int64                         `thrift:"5,required"`
		Uncompressed int64                         `thrift:"6,required"`
		Compressed   int64                         `thrift:"7,required"`
		DataOffset   int64                         `thrift:"9,required"`
		DictOffset   int64                         `thrift:"11,optional"`
		Statistics   statistics                    `thrift:"12,optional"`
	}

	statistics struct {
		OldMax    []byte             `thrift:"1"`
		OldMin    []byte             `thrift:"2"`
		NullCount thrift.Null[int64] `thrift:"3,optional"`
		Max       []byte             `thrift:"5"`
		Min       []byte             `thrift:"6"`
	}

	pageHeader struct {
		Type         format.PageType                          `thrift:"1,required"`
		Uncompressed int32                                    `thrift:"2,required"`
		Compressed   int32                                    `thrift:"3,required"`
		CRC          thrift.Null[int32]                       `thrift:"4,optional"`
		Data         thrift.Null[dataHeader]                  `thrift:"5,optional"`
		Dict         thrift.Null[format.DictionaryPageHeader] `thrift:"7,optional"`
		DataV2       thrift.Null[dataHeaderV2]                `thrift:"8,optional"`
	}

	dataHeader struct {
		NumValues int32           `thrift:"1,required"`
		Encoding  format.Encoding `thrift:"2,required"`
		DefLevels format.Encoding `thrift:"3,required"`
		RepLevels format.Encoding `thrift:"4,required"`
	}

	dataHeaderV2 struct {
		NumValues    int32             `thrift:"1,required"`
		NumNulls     int32             `thrift:"2,required"`
		NumRows      int32             `thrift:"3,required"`
		Encoding     format.Encoding   `thrift:"4,required"`
		DefBytes     int32             `thrift:"5,required"`
		RepBytes     int32             `thrift:"6,required"`
		IsCompressed thrift.Null[bool] `thrift:"7,optional"`
	}
)

const (
	magicSize  = 4
	tailSize   = 8       // footer length and magic
	footerRead = 1 << 16 // the first read of a footer; most fit, so one request is enough
	maxFooter  = 1 << 30 // no real footer is larger
)

// readFooter reads and decodes the footer with one or two reads. It returns the
// digest of the footer's thrift bytes as well.
func readFooter(r io.ReaderAt, size int64) (ft *footer, digest [32]byte, err error) {
	defer guard(&err)
	if size == 0 {
		return nil, digest, corrupt("the file is empty")
	}
	if size < magicSize+tailSize {
		return nil, digest, corrupt("%d bytes are too few for a Parquet file", size)
	}
	tail := make([]byte, min(size, footerRead))
	if err := readFull(r, tail, size-int64(len(tail))); err != nil {
		return nil, digest, err
	}
	switch string(tail[len(tail)-magicSize:]) {
	case "PAR1":
	case "PARE":
		return nil, digest, ErrEncrypted
	default:
		return nil, digest, corrupt("the last four bytes are not PAR1; the file may be cut short")
	}
	length := int64(binary.LittleEndian.Uint32(tail[len(tail)-tailSize:]))
	if length > size-tailSize-magicSize || length > maxFooter {
		return nil, digest, corrupt("a footer of %d bytes does not fit into a file of %d", length, size)
	}
	if missing := length + tailSize - int64(len(tail)); missing > 0 {
		rest := make([]byte, missing, missing+int64(len(tail)))
		if err := readFull(r, rest, size-length-tailSize); err != nil {
			return nil, digest, err
		}
		tail = append(rest, tail...)
	}
	raw := tail[int64(len(tail))-tailSize-length : len(tail)-tailSize]
	ft = new(footer)
	n, err := decodeThrift(raw, ft)
	switch {
	case err != nil:
		return nil, digest, corrupt("footer: %v", err)
	case ft.Encryption.Value != nil:
		return nil, digest, ErrEncrypted
	case n != len(raw):
		return nil, digest, corrupt("footer: %d bytes left over", len(raw)-n)
	}
	return ft, sha256.Sum256(raw), nil
}

// readFull reads len(p) bytes at off. A source that ends early is corrupt; any
// other error is the source's own.
func readFull(r io.ReaderAt, p []byte, off int64) error {
	n, err := r.ReadAt(p, off)
	switch {
	case n == len(p):
		return nil
	case err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return corrupt("the file ends after %d of %d bytes at offset %d", n, len(p), off)
	}
	return err
}

var compact thrift.CompactProtocol

// decodeThrift decodes one struct from the front of b and returns its length.
// It first checks that every list is as long as it says, because the decoder
// allocates what a list claims.
func decodeThrift(b []byte, v any) (int, error) {
	s := skimmer{b: b}
	if err := s.value(thriftStruct, 0); err != nil {
		return 0, err
	}
	r := compact.NewReaderFromBytes(b[:s.pos])
	if err := thrift.NewDecoder(r).Decode(v); err != nil {
		return 0, err
	}
	return s.pos, nil
}

const (
	thriftTrue = iota + 1
	thriftFalse
	thriftByte
	thriftI16
	thriftI32
	thriftI64
	thriftDouble
	thriftBinary
	thriftList
	thriftSet
	thriftMap
	thriftStruct

	thriftDepth = 32 // parquet.thrift nests less than ten deep
)

// A skimmer walks over compact thrift without building anything.
type skimmer struct {
	b   []byte
	pos int
}

func (s *skimmer) uvarint() (uint64, error) {
	v, n := binary.Uvarint(s.b[s.pos:])
	if n <= 0 {
		return 0, io.ErrUnexpectedEOF
	}
	s.pos += n
	return v, nil
}

func (s *skimmer) skip(n uint64) error {
	if n > uint64(len(s.b)-s.pos) {
		return io.ErrUnexpectedEOF
	}
	s.pos += int(n)
	return nil
}

// value skips one value of a type. Inside lists, booleans take a byte.
func (s *skimmer) value(typ byte, depth int) error {
	if depth > thriftDepth {
		return corrupt("thrift structs nest too deep")
	}
	switch typ {
	case thriftTrue, thriftFalse, thriftByte:
		return s.skip(1)
	case thriftI16, thriftI32, thriftI64:
		_, err := s.uvarint()
		return err
	case thriftDouble:
		return s.skip(8)
	case thriftBinary:
		n, err := s.uvarint()
		if err != nil {
			return err
		}
		return s.skip(n)
	case thriftList, thriftSet:
		return s.list(depth)
	case thriftStruct:
		return s.fields(depth)
	}
	return corrupt("thrift type %d", typ) // parquet.thrift has no maps
}

func (s *skimmer) list(depth int) error {
	if s.pos >= len(s.b) {
		return io.ErrUnexpectedEOF
	}
	head := s.b[s.pos]
	s.pos++
	n := uint64(head >> 4)
	if n == 15 {
		var err error
		if n, err = s.uvarint(); err != nil {
			return err
		}
	}
	if n > uint64(len(s.b)-s.pos) {
		return io.ErrUnexpectedEOF
	}
	for range n {
		if err := s.value(head&15, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (s *skimmer) fields(depth int) error {
	for {
		if s.pos >= len(s.b) {
			return io.ErrUnexpectedEOF
		}
		head := s.b[s.pos]
		s.pos++
		if head == 0 {
			return nil
		}
		if head>>4 == 0 {
			if _, err := s.uvarint(); err != nil {
				return err
			}
		}
		if typ := head & 15; typ != thriftTrue && typ != thriftFalse {
			if err := s.value(typ, depth+1); err != nil {
				return err
			}
		}
	}
}
