//go:build e2e

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/draw"
	"image/png"
	"math"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// A browser is one page of a headless Chromium.
type browser struct {
	ctx context.Context
}

// openBrowser starts the Chromium that HEADGATE_CHROMIUM names, by default the one
// of Debian's package, with a window of 1440 × 900 and a profile of its own.
func openBrowser(t *testing.T) *browser {
	t.Helper()
	path := os.Getenv("HEADGATE_CHROMIUM")
	if path == "" {
		path = "/usr/bin/chromium"
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("no browser: %v; install Debian's package chromium, or set HEADGATE_CHROMIUM", err)
	}
	alloc, cancel := chromedp.NewExecAllocator(t.Context(),
		chromedp.ExecPath(path),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.WindowSize(1440, 900),
		chromedp.NoFirstRun,
		chromedp.Headless,
		chromedp.NoSandbox, // the tests may run as root
		chromedp.DisableGPU,
		// It shall visit our pages and nothing else.
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-dev-shm-usage", true),
	)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	b := &browser{ctx: ctx}
	b.do(t, "start", chromedp.EmulateViewport(1440, 900))
	return b
}

// do runs the actions, which must end within half a minute. If they fail, a
// picture of what the page showed instead is kept.
func (b *browser) do(t *testing.T, what string, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	// The first use of b.ctx starts the browser, which then lives as long as that
	// context does; a time-out on it would end the browser.
	ctx := b.ctx
	if chromedp.FromContext(ctx).Browser != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
	}
	if err := chromedp.Do(ctx, actions...); err != nil {
		seen := pictureFile(t, "seen.png")
		b.picture(t, seen)
		t.Fatalf("browser: %s: %v; see %s", what, err, seen)
	}
}

// open goes to the address and waits until the page says each of the texts.
func (b *browser) open(t *testing.T, url string, texts ...string) {
	t.Helper()
	b.do(t, "open "+url, chromedp.Navigate(url))
	b.reads(t, texts...)
}

// contains is true if the page shows a text. White space counts as one blank;
// hidden text does not count. The UI shows Markdown in frames of their own.
const contains = `(text) => {
	const frames = [...document.querySelectorAll('iframe')].map(f => f.contentDocument);
	return [document, ...frames].some(d => d?.body?.innerText.replace(/\s+/g, ' ').includes(text));
}`

// shows tells whether the page says the text now.
func (b *browser) shows(t *testing.T, text string) bool {
	t.Helper()
	found, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("("+contains+")("+strconv.Quote(text)+")"))
	if err != nil {
		t.Fatalf("browser: look for %s: %v", text, err)
	}
	return found
}

// reads waits until the page shows each of the texts.
func (b *browser) reads(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		look := chromedp.Evaluate[bool]("(" + contains + ")(" + strconv.Quote(text) + ")")
		for end := time.Now().Add(30 * time.Second); ; {
			// An error means that the UI went on to another page while it was read.
			found, err := chromedp.Run(b.ctx, look)
			if err == nil && found {
				break
			}
			if time.Now().After(end) {
				seen := pictureFile(t, "seen.png")
				b.picture(t, seen)
				t.Fatalf("browser: the page does not say %q (%v); see %s", text, err, seen)
			}
			b.do(t, "wait", chromedp.Sleep(50*time.Millisecond))
		}
	}
}

// click clicks the link whose text is exactly this.
func (b *browser) click(t *testing.T, text string) {
	t.Helper()
	link := `//a[normalize-space(.)="` + text + `"]`
	b.do(t, "click "+text, chromedp.WaitVisible(link), chromedp.Click(link))
}

// remember puts a value into what the page's site remembers between visits.
func (b *browser) remember(t *testing.T, key string, value any) {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	b.do(t, "remember "+key, chromedp.Evaluate[chromedp.Void](
		"localStorage.setItem("+strconv.Quote(key)+", "+strconv.Quote(string(data))+")"))
}

// picture writes what the window shows to a PNG file.
func (b *browser) picture(t *testing.T, path string) {
	t.Helper()
	b.cut(t, path, image.Rect(0, 0, math.MaxInt, math.MaxInt))
}

// cut writes a part of what the window shows to a PNG file.
func (b *browser) cut(t *testing.T, path string, part image.Rectangle) {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	shot, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Errorf("picture: %v", err)
		return
	}
	window, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		t.Errorf("picture: %v", err)
		return
	}
	whole := image.NewRGBA(window.Bounds())
	draw.Draw(whole, whole.Bounds(), window, image.Point{}, draw.Src)
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&out, whole.SubImage(part)); err != nil {
		t.Errorf("picture: %v", err)
		return
	}
	if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
		t.Error(err)
	}
}
