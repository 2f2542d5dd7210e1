#!/usr/bin/env node
"use strict";
require("../scripts/typescript.js").register();
require("./main.ts");
