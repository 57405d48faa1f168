// What Thunderbird is told to do, each step by its name; thunderbird.go sends all of it
// with a call of one.

const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const win = Services.wm.getMostRecentWindow("mail:3pane");
const server = MailServices.accounts.accounts[0].incomingServer;

async function until(what, so) {
  for (let n = 0; n < 200; n++) {
    const value = so();
    if (value) return value;
    await new Promise((r) => win.setTimeout(r, 100));
  }
  throw new Error(`waited in vain until ${what}`);
}

const folder = (name) => server.rootFolder.subFolders.find((f) => f.name === name);
const headers = (f) => [...f.messages];
const named = (f, subject) => headers(f).find((h) => h.mime2DecodedSubject === subject);

// finished is a promise with the listener that keeps it.
function finished(start) {
  return new Promise((resolve, reject) => {
    const end = (status) => (Components.isSuccessCode(status) ? resolve() : reject(new Error(`status ${status.toString(16)}`)));
    start({
      QueryInterface: ChromeUtils.generateQI(["nsIUrlListener", "nsIMsgCopyServiceListener", "nsIMsgSearchNotify"]),
      OnStartRunningUrl() {}, OnStopRunningUrl: (url, status) => end(status),
      onStartCopy() {}, onProgress() {}, setMessageKey() {}, getMessageId: () => null, onStopCopy: end,
      onSearchHit() {}, onNewSearch() {}, onSearchDone: end,
    });
  });
}

// stream reads a message as it came.
function stream(header) {
  const uri = header.folder.getUriForMsg(header);
  const chunks = [];
  return new Promise((resolve, reject) => {
    MailServices.messageServiceFromURI(uri).streamMessage(uri, {
      QueryInterface: ChromeUtils.generateQI(["nsIStreamListener"]),
      onStartRequest() {},
      onDataAvailable(request, input, offset, count) {
        const binary = Cc["@mozilla.org/binaryinputstream;1"].createInstance(Ci.nsIBinaryInputStream);
        binary.setInputStream(input);
        chunks.push(...binary.readByteArray(count));
      },
      onStopRequest: (request, status) => (Components.isSuccessCode(status) ? resolve(Uint8Array.from(chunks)) : reject(new Error(`status ${status.toString(16)}`))),
    }, null, null, false, "");
  });
}

const steps = {
  // open stores the password, shows the inbox, and lists folders and subjects.
  async open(user, password, count) {
    const login = Cc["@mozilla.org/login-manager/loginInfo;1"].createInstance(Ci.nsILoginInfo);
    login.init("imap://127.0.0.1", null, "imap://127.0.0.1", user, password, "", "");
    await Services.logins.addLoginAsync(login);
    await until("there is a window", () => win.gTabmail?.currentAbout3Pane?.displayFolder);
    server.performExpand(win.msgWindow);
    win.gTabmail.currentAbout3Pane.displayFolder(folder("INBOX").URI);
    await until("the folders are listed", () => folder("Archive") && folder("Entwürfe"));
    await until("the inbox is listed", () => headers(folder("INBOX")).length === count);
    return { folders: server.rootFolder.subFolders.map((f) => f.name).sort(), subjects: headers(folder("INBOX")).map((h) => h.mime2DecodedSubject) };
  },

  // read writes every message to a file below dir.
  async read(dir) {
    for (const h of headers(folder("INBOX"))) await IOUtils.write(`${dir}/${h.messageKey}`, await stream(h));
  },

  // show shows a message, until its text is on the screen.
  async show(subject, text) {
    const pane = win.gTabmail.currentAbout3Pane;
    pane.threadTree.selectedIndex = pane.gViewWrapper.getViewIndexForMsgHdr(named(folder("INBOX"), subject));
    await until("the message is shown", () => pane.messageBrowser.contentDocument.getElementById("messagepane")?.contentDocument?.body?.textContent.includes(text));
    await new Promise((r) => win.setTimeout(r, 1000)); // what is there is not painted yet
  },

  // search lets the server search.
  async search(text) {
    const session = Cc["@mozilla.org/messenger/searchSession;1"].createInstance(Ci.nsIMsgSearchSession);
    session.addScopeTerm(Ci.nsMsgSearchScope.onlineMail, folder("INBOX"));
    const term = session.createTerm();
    term.attrib = Ci.nsMsgSearchAttrib.Body;
    term.op = Ci.nsMsgSearchOp.Contains;
    const value = term.value;
    value.attrib = term.attrib;
    value.str = text;
    term.value = value;
    session.appendTerm(term);
    const hits = [];
    await finished((l) => {
      session.registerListener({ ...l, onSearchHit: (h) => hits.push(h.mime2DecodedSubject) }, Ci.nsIMsgSearchSession.allNotifications);
      session.search(win.msgWindow);
    });
    return hits;
  },

  // change flags one message, moves another, and expunges a third.
  async change() {
    const inbox = folder("INBOX");
    inbox.markMessagesFlagged([named(inbox, "dots")], true);
    inbox.addKeywordsToMessages([named(inbox, "dots")], "$label1");
    const moved = named(inbox, "empty body");
    await finished((l) => MailServices.copy.copyMessages(inbox, [moved], folder("Archive"), true, l, win.msgWindow, false));
    inbox.deleteMessages([named(inbox, "blank lines")], win.msgWindow, true, false, null, false);
    await until("the message is gone", () => !named(inbox, "blank lines"));
    await finished((l) => inbox.compact(l, win.msgWindow));
  },

  // append stores a file as a message.
  async append(path) {
    const file = Cc["@mozilla.org/file/local;1"].createInstance(Ci.nsIFile);
    file.initWithPath(path);
    await finished((l) => MailServices.copy.copyFileMessage(file, folder("Entwürfe"), null, false, Ci.nsMsgMessageFlags.Read, "", l, win.msgWindow));
  },

  // idle waits for a message.
  async idle(subject) {
    await until("the message comes", () => named(folder("INBOX"), subject));
  },

  async quit() {
    win.setTimeout(() => Services.startup.quit(Ci.nsIAppStartup.eForceQuit), 100);
  },
};
