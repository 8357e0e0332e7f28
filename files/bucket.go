package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// bucket keeps files at a service that speaks Amazon's S3 protocol. Uploads begin on the disk all the
// same: what a file is can only be found out, and its image be stripped and made small, where all of
// it lies, and the parts of an upload over S3 are at least 5 MB large and lie in memory meanwhile.
type bucket struct {
	client *minio.Client
	name   string
	prefix string
}

// mostObject is how large an object may be that is put in one request. In several parts it could be
// larger, but of those that are interrupted parts would stay, which nobody sees and somebody pays.
const mostObject = 5 << 30

func openBucket(c S3) (*bucket, error) {
	endpoint, err := url.Parse(c.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("files.s3.endpoint: %w", err)
	}
	keys := credentials.NewStaticV4(c.AccessKey, c.SecretKey, "")
	if c.AccessKey == "" {
		keys = credentials.NewChainCredentials([]credentials.Provider{&credentials.EnvAWS{}, &credentials.IAM{}})
	}
	client, err := minio.New(endpoint.Host, &minio.Options{Creds: keys, Secure: endpoint.Scheme == "https", Region: c.Region})
	if err != nil {
		return nil, fmt.Errorf("files.s3: %w", err)
	}
	return &bucket{client: client, name: c.Bucket, prefix: c.Prefix}, nil
}

func (b *bucket) keep(ctx context.Context, local, name, mediaType string) error {
	_, err := b.client.FPutObject(ctx, b.name, b.prefix+name, local, minio.PutObjectOptions{ContentType: mediaType, DisableMultipart: true})
	if err != nil {
		return fmt.Errorf("put file into bucket %s: %w", b.name, err)
	}
	return nil
}

func (b *bucket) open(ctx context.Context, name string, bytes int64) (io.ReadSeekCloser, error) {
	o := &object{ctx: ctx, bucket: b, name: name, bytes: bytes}
	// Whether it is there is known before anything is answered.
	if err := o.begin(); err != nil {
		return nil, err
	}
	return o, nil
}

func (b *bucket) remove(ctx context.Context, name string) error {
	if err := b.client.RemoveObject(ctx, b.name, b.prefix+name, minio.RemoveObjectOptions{}); err != nil {
		return fmt.Errorf("remove file from bucket %s: %w", b.name, err)
	}
	return nil
}

// object reads a file in a bucket, from wherever it was sought to on, in one request.
type object struct {
	ctx    context.Context // of the request that it answers
	bucket *bucket
	name   string
	bytes  int64 // below zero: as the bucket says

	at   int64
	body io.ReadCloser // nil: not asked for yet
	from int64         // where body is
}

func (o *object) begin() error {
	options := minio.GetObjectOptions{}
	if o.at > 0 {
		if err := options.SetRange(o.at, 0); err != nil {
			return err
		}
	}
	core := minio.Core{Client: o.bucket.client}
	body, info, _, err := core.GetObject(o.ctx, o.bucket.name, o.bucket.prefix+o.name, options)
	if err != nil {
		if minio.ToErrorResponse(err).StatusCode == http.StatusNotFound {
			err = errors.Join(fs.ErrNotExist, err)
		}
		return fmt.Errorf("get file from bucket %s: %w", o.bucket.name, err)
	}
	o.body, o.from = body, o.at
	if o.bytes < 0 {
		o.bytes = info.Size // that of the whole, since at is 0
	}
	return nil
}

func (o *object) Read(b []byte) (int, error) {
	if o.at >= o.bytes {
		return 0, io.EOF
	}
	if o.body != nil && o.from != o.at {
		_ = o.body.Close() // nothing more is read of it
		o.body = nil
	}
	if o.body == nil {
		if err := o.begin(); err != nil {
			return 0, err
		}
	}
	n, err := o.body.Read(b)
	o.at += int64(n)
	o.from = o.at
	return n, err
}

func (o *object) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += o.at
	case io.SeekEnd:
		offset += o.bytes
	}
	if offset < 0 {
		return 0, errors.New("seek before the beginning of a file")
	}
	o.at = offset
	return offset, nil
}

func (o *object) Close() error {
	if o.body == nil {
		return nil
	}
	return o.body.Close()
}
