# rohrpost. Start with: make run, make test.

PREFIX  ?= /usr/local
DESTDIR ?=
GO      ?= go
VERSION ?= 0.1.0-dev
GOFLAGS_BUILD = -trimpath -ldflags "-s -w -X rohrpost/cmd/internal/frame.Version=$(VERSION)"
PROGRAMS := $(notdir $(patsubst %/main.go,%,$(wildcard cmd/*/main.go)))

.PHONY: all build run test check install uninstall clean bench interop interop-dovecot interop-gui crash consistency mutants fuzz

all: build

# Static and non-PIE: starts faster and takes less memory than the other ways.
build:
	@mkdir -p bin
	CGO_ENABLED=0 $(GO) build $(GOFLAGS_BUILD) -o bin/ ./cmd/...

# A working mail host in the foreground, in ./rohrpost, with a demo user.
run: build
	./bin/rohrpost up

test: build
	$(GO) test ./...

# gofmt, vet, staticcheck, the house's arrows, the manual.
check:
	@out=$$(gofmt -l cmd maildir protocol scripts); test -z "$$out" || { echo "gofmt: $$out" >&2; exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	./scripts/check/arrows.sh
	./scripts/check/man.sh
	./scripts/check/logwords.sh

clean:
	rm -rf bin

# Each protection switched off in turn: its test must fail then.
mutants:
	$(GO) run ./scripts/mutants $(MUTANTS)

# Every fuzz target for a while: make fuzz FUZZTIME=10m
FUZZTIME ?= 20s
fuzz:
	FUZZTIME=$(FUZZTIME) ./scripts/check/fuzz.sh

# Real clients against a running mail host, byte for byte; then Dovecot and we on one
# Maildir by turns (at once: interop-dovecot), and asked the same.
interop: build
	$(GO) run ./scripts/interop
	$(GO) run ./scripts/interop/imap
	$(GO) run ./scripts/interop/dovecot -turns 24 -time 0s
	$(GO) run ./scripts/interop/answers

# Dovecot and imapd on one Maildir, by turns and at once:
# make interop-dovecot DOVECOT='-time 5m'
interop-dovecot: build
	$(GO) run ./scripts/interop/dovecot $(DOVECOT)

# Thunderbird on a display of its own; needs thunderbird, xvfb and imagemagick.
# A picture stays in bin/interop-thunderbird.png.
interop-gui: build
	$(GO) run ./scripts/interop/imap -gui

# Side by side with the peers of Debian: make bench BENCH=-quick
bench: build
	$(GO) run ./scripts/bench $(BENCH)

# A kill, an errno, a power cut at every system call. CRASH=-short for a minute's worth.
crash: build
	$(GO) run ./scripts/crash $(CRASH)

# Who delivers, reads, flags, moves and deletes in one Maildir at once, each session
# held to a model: make consistency CONSISTENCY='-consistency.commands 20000'
CONSISTENCY ?= -consistency.commands 3000
consistency: build
	$(GO) test ./cmd/imapd -count=1 -timeout 2h -run 'TestConsistency$$' -v -args $(CONSISTENCY)

# Where make install puts things. Programs that people call go to BINDIR, the
# others to LIBEXECDIR, pages to MANDIR, service definitions to SHAREDIR. All of
# it belongs to who installs, mode 755 for programs and directories, 644 for the
# rest; nothing is setuid or setgid.
BINDIR     = $(PREFIX)/bin
LIBEXECDIR = $(PREFIX)/libexec/rohrpost
MANDIR     = $(PREFIX)/share/man
SHAREDIR   = $(PREFIX)/share/rohrpost
FRONT     := $(filter rohrpost sendmail,$(PROGRAMS))
BEHIND    := $(filter-out $(FRONT),$(PROGRAMS))
SERVICES  := $(wildcard scripts/service scripts/s6 scripts/systemd scripts/inetd scripts/tcpserver)

# make && sudo make install. What has been built is installed; only if nothing
# has, it is built, from what is on this machine.
install:
	@test -x bin/rohrpost || GOPROXY=off $(MAKE) build
	install -d -m 755 $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(SHAREDIR)
	install -m 755 $(FRONT:%=bin/%) $(DESTDIR)$(BINDIR)
	install -m 755 $(BEHIND:%=bin/%) $(DESTDIR)$(LIBEXECDIR)
	@for page in man/*.[0-9]; do section=$${page##*.}; \
	  install -d -m 755 $(DESTDIR)$(MANDIR)/man$$section; \
	  install -m 644 $$page $(DESTDIR)$(MANDIR)/man$$section; \
	  sed -i 's|/usr/local|$(PREFIX)|g' $(DESTDIR)$(MANDIR)/man$$section/$${page##*/}; done
	@for dir in $(SERVICES); do (cd $${dir%/*} && find $${dir##*/} -type f) | while read -r f; do \
	  mode=644; test -x $${dir%/*}/$$f && mode=755; \
	  install -D -m $$mode $${dir%/*}/$$f $(DESTDIR)$(SHAREDIR)/$$f; \
	  sed -i 's|/usr/local|$(PREFIX)|g' $(DESTDIR)$(SHAREDIR)/$$f; done; done

# Takes away what install put there, and leaves configuration, queue and mail.
uninstall:
	rm -f $(FRONT:%=$(DESTDIR)$(BINDIR)/%)
	rm -rf $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(SHAREDIR)
	@for page in man/*.[0-9]; do rm -f $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}; done
