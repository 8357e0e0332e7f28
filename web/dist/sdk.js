export*from"./assets/sdk-SDPF3HBQ.js";
