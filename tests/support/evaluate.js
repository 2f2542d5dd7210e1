// Runs programs that it is sent, one after the other, and sends back what they return or throw.
"use strict";
const requireFromString = require("require-from-string");

process.on("message", ({ text, body }) => {
  const run = new Function("tested", "require", `return (async () => { ${body} })();`);
  Promise.resolve()
    .then(() => run(requireFromString(text).handler().tested, require))
    .then(
      (value) => process.send({ value }),
      (error) => process.send({ error: error.stack }),
    );
});
