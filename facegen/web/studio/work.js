// Long work on the server, shown as it goes, and files in and out.
import { ask, tell } from "/page/link.js";

const PERIOD_MS = 250;
const $ = (id) => document.getElementById(id);
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export function toast(text, bad = false) {
  const made = Object.assign(document.createElement("div"), { className: `toast${bad ? " bad" : ""}`, textContent: text });
  const dialog = document.querySelector("dialog[open]"); // what is outside of it is dim, and silent to a screen reader
  (dialog ?? document.body).append($("toasts"));
  dialog?.addEventListener("close", () => document.body.append($("toasts")), { once: true });
  $("toasts").append(made);
  setTimeout(() => made.remove(), bad ? 12000 : 5000);
}

// Wait for a job, with a dialog that can stop it; its end as the server tells it, null where it was stopped.
export async function watched(job, title) {
  const dialog = $("work");
  $("work-title").textContent = title;
  $("work-stage").textContent = "";
  $("work-lines").textContent = "";
  $("work-picture").hidden = true;
  $("work-bar").hidden = false;
  $("work-cancel").textContent = "Cancel";
  let stopped = false;
  const stop = () => {
    stopped = true;
    ask(`/jobs/${job}`, { method: "DELETE" }).catch(() => {});
    dialog.close();
  };
  $("work-cancel").onclick = stop;
  dialog.oncancel = stop;
  dialog.showModal();
  let picture = 0;
  try {
    while (!stopped) {
      const told = await ask(`/jobs/${job}`);
      $("work-stage").textContent = told.stage;
      $("work-lines").textContent = told.lines.slice(-6).join("\n");
      if (told.picture !== picture) {
        picture = told.picture;
        $("work-picture").src = `/jobs/${job}/picture.png?${picture}`;
        $("work-picture").hidden = false;
      }
      if (told.state === "failed") {
        if (!picture) throw new Error(told.error);
        $("work-stage").textContent = told.error;
        $("work-bar").hidden = true;
        $("work-cancel").textContent = "Close";
        toast(told.error, true);
        return null;
      }
      if (told.state === "cancelled") return null;
      if (told.state === "done" && told.result) return told;
      await pause(PERIOD_MS);
    }
    return null;
  } finally {
    if ($("work-cancel").textContent !== "Close") dialog.close();
  }
}

export function form(files) {
  const made = new FormData();
  for (const file of files) made.append("file", file, file.name);
  return { method: "POST", body: made };
}

export function save(url, name) {
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
}

// The dialog that writes files. said(): what is asked of the server but the format.
export class Out {
  constructor(formats, said, named) {
    Object.assign(this, { said, named });
    $("out-format").replaceChildren(...formats.map((each) => new Option(each, each)));
    for (const id of ["out-format", "out-name"]) $(id).addEventListener("input", () => this.#describe());
    $("out-copy").onclick = async () => {
      $("out-command").select();
      await navigator.clipboard?.writeText($("out-command").value).catch(() => document.execCommand("copy"));
      toast("the command is copied");
    };
    $("out-close").onclick = () => $("out").close();
    $("out-go").onclick = () => this.#go();
    $("out-yaml-save").onclick = () => {
      const url = URL.createObjectURL(new Blob([$("out-yaml").value], { type: "text/yaml" }));
      save(url, `${$("out-name").value || "timeline"}.yaml`);
      setTimeout(() => URL.revokeObjectURL(url), 1000);
    };
    $("out-neutral").onclick = () => save(`/faces/${this.said().face}/file`, "");
  }

  open() {
    $("out-name").value = this.said().state.name ?? "timeline";
    $("out-why").textContent = "";
    $("out").showModal();
    this.#describe();
  }

  #message() {
    const { face, state } = this.said();
    return { face, state, suffix: $("out-format").value, name: $("out-name").value || "timeline" };
  }

  async #describe() {
    this.named($("out-name").value);
    try {
      const { yaml, command } = await tell("/yaml", this.#message());
      $("out-yaml").value = yaml;
      $("out-command").value = command;
      $("out-why").textContent = "";
      $("out-go").disabled = false;
    } catch (error) {
      $("out-why").textContent = error.message;
      $("out-go").disabled = true;
    }
  }

  async #go() {
    $("out").close();
    try {
      const { job } = await tell("/exports", this.#message());
      const told = await watched(job, "Exporting");
      if (!told) return;
      save(`/jobs/${job}/file`, told.result);
      toast([`${told.result} is saved`, ...told.lines.filter((line) => line.includes("left out"))].join("; "));
    } catch (error) {
      toast(error.message, true);
    }
  }
}
