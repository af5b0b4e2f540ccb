// go-git as a peer of the benchmark:
//
//	go-git version             says go's own: the library does not know its version
//	go-git ingest <git-dir>    pack on standard input; writes .pack and .idx
//	go-git serve <git-dir>     protocol v0 request on standard input
package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/transport"
	"github.com/go-git/go-git/v5/plumbing/transport/server"
	"github.com/go-git/go-git/v5/storage/filesystem"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	switch {
	case len(arguments) == 1 && arguments[0] == "version":
		fmt.Println(runtime.Version())
		return nil
	case len(arguments) == 2 && arguments[0] == "ingest":
		storage := filesystem.NewStorage(osfs.New(arguments[1]), cache.NewObjectLRUDefault())
		return packfile.WritePackfileToObjectStorage(storage, bufio.NewReaderSize(os.Stdin, 1<<16))
	case len(arguments) == 2 && arguments[0] == "serve":
		return serve(arguments[1])
	}
	return fmt.Errorf("usage: go-git ingest|serve <git-dir>")
}

func serve(gitDir string) error {
	endpoint, err := transport.NewEndpoint(gitDir)
	if err != nil {
		return err
	}
	session, err := server.DefaultServer.NewUploadPackSession(endpoint, nil)
	if err != nil {
		return err
	}
	request := packp.NewUploadPackRequest()
	if err := request.UploadRequest.Decode(os.Stdin); err != nil {
		return err
	}
	haves := pktline.NewScanner(os.Stdin)
	for haves.Scan() {
		if line := bytes.TrimSpace(haves.Bytes()); bytes.HasPrefix(line, []byte("have ")) {
			request.Haves = append(request.Haves, plumbing.NewHash(string(line[5:])))
		}
	}
	response, err := session.UploadPack(context.Background(), request)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(os.Stdout, 1<<16)
	if err := response.Encode(out); err != nil {
		return err
	}
	return out.Flush()
}
