package store

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"cloud.google.com/go/storage"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azblob "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"
)

// A dialect is what gocloud.dev does not level between the services. The as
// functions give access to a service's own types.
type dialect struct {
	local bool

	// missing reports whether an error means that there is no such object, and
	// not that the bucket is missing, forbidden or out of reach.
	missing func(error) bool

	// conflict reports whether an error means that the key was taken, where
	// gocloud.dev does not know it.
	conflict func(error) bool

	// buffer is the part size for that many bytes; 0 is the driver's own.
	buffer func(size int) int

	// prepare adjusts an upload before it begins.
	prepare func(bucket *blob.Bucket, as func(any) bool)

	attributesVersion func(*blob.Attributes) string
	listVersion       func(*blob.ListObject) string

	// pin makes a read fail unless the object has that version; "" is any.
	pin func(as func(any) bool, version string)

	// unchanged checks what pin cannot ask for.
	unchanged func(*blob.Reader, Attrs) bool
}

// dialects by the scheme of the URL.
var dialects = map[string]dialect{"mem": memory, "s3": amazon, "gs": google, "azblob": azure}

var memory = dialect{
	local:    true,
	missing:  func(err error) bool { return gcerrors.Code(err) == gcerrors.NotFound },
	conflict: func(error) bool { return false },
	buffer:   func(int) int { return 0 },
	prepare:  func(*blob.Bucket, func(any) bool) {},
	attributesVersion: func(a *blob.Attributes) string {
		return memoryVersion(a.ModTime, a.Size)
	},
	listVersion: func(o *blob.ListObject) string { return memoryVersion(o.ModTime, o.Size) },
	pin:         func(func(any) bool, string) {},
	unchanged: func(r *blob.Reader, a Attrs) bool {
		return memoryVersion(r.ModTime(), r.Size()) == a.Version
	},
}

// memoryVersion is what memblob uses as its ETag.
func memoryVersion(modified time.Time, size int64) string {
	return fmt.Sprintf("%x-%x", modified.UnixNano(), size)
}

var amazon = dialect{
	missing:           missingInS3,
	conflict:          conflictInS3,
	buffer:            func(int) int { return 0 },
	prepare:           prepareS3,
	attributesVersion: func(a *blob.Attributes) string { return bareTag(a.ETag) },
	listVersion: func(o *blob.ListObject) string {
		var raw s3types.Object
		if o.As(&raw) && raw.ETag != nil {
			return bareTag(*raw.ETag)
		}
		return ""
	},
	pin:       pinS3,
	unchanged: func(*blob.Reader, Attrs) bool { return true },
}

// missingInS3 reports whether S3 has no such object. The answer to a HEAD has no
// body, so it cannot tell that from a missing bucket.
func missingInS3(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && (api.ErrorCode() == "NoSuchKey" || api.ErrorCode() == "NotFound")
}

// conflictInS3 recognises a 409: another conditional put of the key is under way.
func conflictInS3(err error) bool {
	var status interface{ HTTPStatusCode() int }
	return errors.As(err, &status) && status.HTTPStatusCode() == http.StatusConflict
}

// prepareS3 makes one request of all but huge objects. Parts of an upload that
// lost would stay behind, and the transfer manager would log its loss.
func prepareS3(bucket *blob.Bucket, as func(any) bool) {
	const whole = 256 << 20
	var manager *transfermanager.Client
	var client *s3.Client
	if as(&manager) && bucket.As(&client) {
		*manager = *transfermanager.New(client, func(o *transfermanager.Options) {
			o.MultipartUploadThreshold = whole
			o.RequestChecksumCalculation = client.Options().RequestChecksumCalculation
		})
	}
}

func pinS3(as func(any) bool, version string) {
	var options *[]func(*s3.Options)
	if as(&options) {
		*options = append(*options, func(o *s3.Options) {
			// It is skipped for objects of several parts, and would be logged each time.
			o.DisableLogOutputChecksumValidationSkipped = true
		})
	}
	var in *s3.GetObjectInput
	if version != "" && as(&in) {
		tag := `"` + version + `"`
		in.IfMatch = &tag
	}
}

var google = dialect{
	missing:  func(err error) bool { return errors.Is(err, storage.ErrObjectNotExist) },
	conflict: func(error) bool { return false },
	buffer:   googleBuffer,
	prepare:  func(*blob.Bucket, func(any) bool) {},
	attributesVersion: func(a *blob.Attributes) string {
		var raw storage.ObjectAttrs
		if a.As(&raw) {
			return strconv.FormatInt(raw.Generation, 10)
		}
		return ""
	},
	listVersion: func(o *blob.ListObject) string {
		var raw storage.ObjectAttrs
		if o.As(&raw) {
			return strconv.FormatInt(raw.Generation, 10)
		}
		return ""
	},
	pin: func(as func(any) bool, version string) {
		var handle **storage.ObjectHandle
		generation, err := strconv.ParseInt(version, 10, 64)
		if err == nil && as(&handle) {
			*handle = (*handle).Generation(generation)
		}
	},
	unchanged: func(*blob.Reader, Attrs) bool { return true },
}

// googleBuffer keeps the client from allocating its 16 MiB for a few bytes.
func googleBuffer(size int) int {
	const least, most = 256 << 10, 16 << 20
	return min(max(size+1, least), most)
}

// limitRetries keeps Google's client from trying for ever what cannot work.
func limitRetries(bucket *blob.Bucket) {
	var client *storage.Client
	if !bucket.As(&client) {
		return
	}
	client.SetRetry(storage.WithMaxAttempts(5), storage.WithErrorFunc(func(err error) bool {
		var network *net.OpError
		refused := errors.As(err, &network) && network.Op == "dial"
		return !refused && storage.ShouldRetry(err)
	}))
}

var azure = dialect{
	missing:           func(err error) bool { return bloberror.HasCode(err, bloberror.BlobNotFound) },
	conflict:          func(err error) bool { return bloberror.HasCode(err, bloberror.BlobAlreadyExists) },
	buffer:            azureBuffer,
	prepare:           func(*blob.Bucket, func(any) bool) {},
	attributesVersion: func(a *blob.Attributes) string { return bareTag(a.ETag) },
	listVersion: func(o *blob.ListObject) string {
		var raw container.BlobItem
		if o.As(&raw) && raw.Properties != nil && raw.Properties.ETag != nil {
			return bareTag(string(*raw.Properties.ETag))
		}
		return ""
	},
	pin: func(as func(any) bool, version string) {
		var in *azblob.DownloadStreamOptions
		if version != "" && as(&in) {
			tag := azcore.ETag(`"` + version + `"`)
			in.AccessConditions = &azblob.AccessConditions{
				ModifiedAccessConditions: &azblob.ModifiedAccessConditions{IfMatch: &tag},
			}
		}
	},
	unchanged: func(*blob.Reader, Attrs) bool { return true },
}

// azureBuffer makes one request of all but huge objects: when two writers stage
// blocks of one blob, the winner's commit drops the loser's.
func azureBuffer(size int) int {
	const least, most = 64 << 10, 64 << 20
	return min(max(size+1, least), most)
}

// bareTag strips an ETag of its quotes, which listings leave out.
func bareTag(tag string) string { return strings.Trim(tag, `"`) }

// oneLine shortens the errors of Azure, which print the whole answer, to what is
// in their first lines.
func oneLine(err error) error {
	var answer *azcore.ResponseError
	if !errors.As(err, &answer) {
		return err
	}
	text := fmt.Sprintf("%d %s", answer.StatusCode, answer.ErrorCode)
	if answer.RawResponse != nil && answer.RawResponse.Request != nil {
		text = answer.RawResponse.Request.Method + ": " + text
	}
	return &shownError{text: text, errs: []error{err}}
}
