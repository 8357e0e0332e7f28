export*from"./assets/sdk-7OL4MJQP.js";
