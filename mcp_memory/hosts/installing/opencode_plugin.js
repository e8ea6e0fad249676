// mcp-memory: what past sessions know, when it is needed; silent when there is nothing, never in the way.
// Written by `mcp-memory install opencode --hooks`; `mcp-memory uninstall opencode` takes it away.
import { spawn } from "node:child_process"

const HOOK = "@HOOK@"
const MILLISECONDS = 3000

// What the hook says to one event; nothing when it fails or takes too long.
function heard(directory, event, name, told) {
  return new Promise((done) => {
    try {
      const child = spawn(HOOK[0], [...HOOK.slice(1), "--host=opencode", event], { stdio: ["pipe", "pipe", "ignore"] })
      const timer = setTimeout(() => child.kill(), MILLISECONDS)
      let said = ""
      child.stdout.on("data", (part) => (said += part))
      child.stdin.on("error", () => {})
      child.on("error", () => done(""))
      child.on("close", () => {
        clearTimeout(timer)
        try {
          done(JSON.parse(said).hookSpecificOutput.additionalContext ?? "")
        } catch {
          done("")
        }
      })
      child.stdin.end(JSON.stringify({ hook_event_name: name, cwd: directory, ...told }))
    } catch {
      done("")
    }
  })
}

export const McpMemory = async ({ directory }) => {
  const hear = (event, name, told) => heard(directory, event, name, told)
  return {
    "chat.message": async ({ sessionID }, { message, parts }) => {
      const typed = parts.filter((part) => part.type === "text" && !part.synthetic)
      if (!typed.length) return
      const prompt = typed.map((part) => part.text).join("\n")
      const said = [
        await hear("session-start", "SessionStart", { session_id: sessionID, source: "resume" }),
        await hear("prompt", "UserPromptSubmit", { session_id: sessionID, prompt }),
      ].filter(Boolean)
      said.forEach((text, place) =>
        parts.push({ id: `${typed.at(-1).id}m${place}`, sessionID, messageID: message.id, type: "text", text, synthetic: true }),
      )
    },
    // What is said before a tool does not reach the model; a file is read before it is edited.
    "tool.execute.after": async ({ tool, sessionID, args }, output) => {
      if (typeof output?.output !== "string") return
      const told = { session_id: sessionID, tool_input: { command: args?.command, file_path: args?.filePath } }
      let text = ""
      if (tool === "bash") {
        const tool_response = { output: output.output, exit_code: output.metadata?.exit }
        text = await hear("tool-failed", "PostToolUse", { ...told, tool_response })
      } else if (["read", "edit", "write", "patch", "apply_patch"].includes(tool)) {
        Object.assign(told.tool_input, { new_string: args?.newString, content: args?.content, patch: args?.patchText })
        text = await hear("before-edit", "PostToolUse", told)
      }
      if (text) output.output += `\n\n${text}`
    },
    event: async ({ event }) => {
      if (event.type === "session.compacted")
        await hear("before-compaction", "PreCompact", { session_id: event.properties.sessionID })
    },
  }
}
