import { api, onSubmit } from "../pages/live.js";

const go = (room) => location.assign(`/rooms/${room.id}/`);

onSubmit(document.querySelector("#new-room"), async (fields) => go(await api("POST", "/api/rooms/", fields)));
onSubmit(document.querySelector("#new-direct"), async (fields) => go(await api("POST", "/api/direct/", fields)));
