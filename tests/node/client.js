// A client in another language, made at run time from the protos or from what the server says of
// itself. It submits when told, watches, and after a broken stream goes on where it was.
//
//   node client.js ADDRESS protos FOLDER | descriptors FILE
//
// Reads commands from stdin ("submit N", "exit") and writes one JSON object in a line.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const readline = require("node:readline");
const grpc = require("@grpc/grpc-js");
const protoLoader = require("@grpc/proto-loader");

const [address, kind, source] = process.argv.slice(2);
const FORM = { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true };
const SERVICES = ["job", "watch", "catalog"].map((name) => `interlock/v1/${name}_service.proto`);
const OPTIONS = {
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 300,
};
const REOPEN_MS = 100;

function load() {
  if (kind === "protos") {
    return protoLoader.loadSync(SERVICES, { ...FORM, includeDirs: [path.resolve(source)] });
  }
  return protoLoader.loadFileDescriptorSetFromBuffer(fs.readFileSync(source), FORM);
}

function say(what) {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}

const api = grpc.loadPackageDefinition(load()).interlock.v1;
const credentials = grpc.credentials.createInsecure();
const jobs = new api.JobService(address, credentials, OPTIONS);
const watches = new api.WatchService(address, credentials, OPTIONS);
const catalog = new api.CatalogService(address, credentials, OPTIONS);

let revision = "0";
let stream = null;
let stopping = false;

function watch() {
  stream = watches.Watch({ from_revision: revision, progress_interval: { nanos: 100000000 } });
  stream.on("data", (message) => {
    if (message.message === "events") {
      const events = message.events.events;
      revision = events[events.length - 1].revision;
      say({ changes: events.map((event) => Number(event.revision)), last: events.pop() });
    } else if (message.message === "progress") {
      revision = message.progress.revision;
      say({ progress: Number(revision) });
    }
  });
  stream.on("error", (error) => {
    if (!stopping) {
      say({ ended: grpc.status[error.code], resumed_from: Number(revision) });
      setTimeout(watch, REOPEN_MS);
    }
  });
}

function submit(count) {
  const request = {
    jobs: [{ definition: "report", hold: true, count }],
    request_id: `from-node-${process.pid}-${Date.now()}`,
    submitted_by: "node",
  };
  const deadline = Date.now() + 20000;
  jobs.waitForReady(deadline, (late) => {
    if (late) throw late;
    jobs.SubmitJobs(request, { deadline }, (error, answer) => {
      if (error) throw error;
      say({ submitted: Number(answer.revision), outcomes: answer.outcomes.length });
    });
  });
}

function begin() {
  const definitions = [{ name: "report", lifecycle: "LIFECYCLE_REDWOOD" }];
  catalog.PutDefinitions({ definitions }, { deadline: Date.now() + 20000 }, (error) => {
    if (error) throw error;
    say({ ready: true });
    watch();
  });
  // A refusal reaches a client in any language with code, sentence and details.
  jobs.GetJob({ job: "999999" }, (error) => {
    const details = error.metadata.get("grpc-status-details-bin");
    say({ refused: grpc.status[error.code], sentence: error.details, details: details.length });
  });
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const [command, count] = line.split(" ");
  if (command === "submit") {
    submit(Number(count));
  } else {
    stopping = true;
    stream.cancel();
    process.exit(0);
  }
});
begin();
