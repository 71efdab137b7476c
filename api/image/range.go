package image

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/kvorum/kvorum/api/rest"
)

// span is a part of some bytes.
type span struct{ start, length int64 }

// reach says what a Range header means.
type reach int

const (
	whole   reach = iota // none, or one that is not understood: all is sent
	partOf               // one range that the bytes have
	outside              // a range that they do not have
)

// parseRange reads a Range header of one byte range (RFC 9110, section 14.2).
// Several ranges at once and other units are not served: all bytes are sent,
// as the RFC allows.
func parseRange(header string, size int64) (span, reach) {
	text, ok := strings.CutPrefix(strings.TrimSpace(header), "bytes=")
	first, last, dash := strings.Cut(text, "-")
	if !ok || !dash || strings.Contains(text, ",") {
		return span{}, whole
	}
	if first == "" {
		n, ok := offset(last)
		if !ok {
			return span{}, whole
		}
		if n = min(n, size); n == 0 {
			return span{}, outside
		}
		return span{size - n, n}, partOf
	}
	start, ok1 := offset(first)
	end, ok2 := size-1, true
	if last != "" {
		end, ok2 = offset(last)
	}
	if !ok1 || !ok2 || last != "" && end < start {
		return span{}, whole
	}
	if start >= size {
		return span{}, outside
	}
	return span{start, min(end, size-1) - start + 1}, partOf
}

// offset reads a number of digits only.
func offset(s string) (int64, bool) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

func contentRange(what string, size int64) string {
	return fmt.Sprintf("bytes %s/%d", strings.TrimSpace(what), size)
}

// answer sends the part of a file, which it closes.
func (s span) answer(f *os.File, size int64) rest.Answer {
	stream := struct {
		io.Reader
		io.Closer
	}{io.NewSectionReader(f, s.start, s.length), f}
	a := rest.Answer{Status: http.StatusPartialContent, Stream: stream, Type: octets, Length: s.length}
	return a.With("Content-Range", contentRange(fmt.Sprintf("%d-%d", s.start, s.start+s.length-1), size)).With("Accept-Ranges", "bytes")
}
